// A step has an address: the page's, with #s and its 0-based position.

import { numberOf } from './form.js'

/** The step that the address names, or -1. */
function linked(steps) {
  const step = /^#s\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null
  return steps.includes(step) ? numberOf(step) : -1
}

/** Goes to the step that the address names, if any; also once the page is whole, since that moves what is below. */
export function openLinked(steps, go) {
  const i = linked(steps)
  if (i < 0) return false
  history.scrollRestoration = 'manual' // else a page loaded again jumps to where it was
  go(i)
  addEventListener('load', () => go(i), { once: true })
  return true
}

/** Copies the address of step `i` and says so; where the browser forbids that, the address bar has it. */
export async function copyLink(i, say) {
  if (i < 0) return
  const link = new URL(`#s${i}`, location.href)
  history.replaceState(history.state, '', link)
  try {
    await navigator.clipboard.writeText(link.href)
    say(`Link to step ${i + 1} copied`)
  } catch {
    say(`The address bar has the link to step ${i + 1}`)
  }
}
