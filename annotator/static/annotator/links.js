// A step has an address: the page's, with #s and its 0-based position.

import { numberOf } from './form.js'

/** The step that the address names, or -1. */
export function linked(steps) {
  const step = /^#s\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null
  return steps.includes(step) ? numberOf(step) : -1
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
