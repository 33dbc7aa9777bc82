// Shows beside the text how it will look, as it is typed. Without this the button Preview does.

import { csrf } from './drafts.js'
import { setMath } from './math.js'

const PAUSE_MS = 350

const form = document.getElementById('write')
const box = document.getElementById('preview')
let timer = 0
let asked = null

async function show() {
  asked?.abort()
  asked = new AbortController()
  const body = new URLSearchParams({ fragment: '1', text: form.elements.text.value })
  const headers = { 'X-CSRFToken': csrf(form) }
  try {
    const response = await fetch(location.pathname, { method: 'POST', headers, body, signal: asked.signal })
    if (!response.ok || response.redirected) return
    box.replaceChildren(...new DOMParser().parseFromString(await response.text(), 'text/html').body.childNodes)
    setMath(box)
  } catch {
    // Typed on, or no connection: the next change asks again.
  }
}

form.elements.text.addEventListener('input', () => {
  clearTimeout(timer)
  timer = setTimeout(show, PAUSE_MS)
})

box.closest('.preview').hidden = false
show()
