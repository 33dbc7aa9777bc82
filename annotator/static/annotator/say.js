// A word in passing, beside the state of saving, which it never covers: it goes by itself.

const SHOWN_MS = 4000
let timer = 0

export function say(words) {
  const box = document.getElementById('passing')
  box.textContent = words
  clearTimeout(timer)
  timer = setTimeout(() => { box.textContent = '' }, SHOWN_MS)
}
