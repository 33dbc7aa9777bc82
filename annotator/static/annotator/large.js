// Larger text: shown at once, kept in the account.

import { csrf } from './drafts.js'

/** Makes the button turn large text on and off; returns a function that does. */
export function makeLarge(button, form, say) {
  if (!button) return () => {}

  async function toggle() {
    const large = document.body.classList.toggle('large')
    button.setAttribute('aria-pressed', large)
    form.querySelector('.step.here')?.scrollIntoView({ block: 'nearest', behavior: 'instant' }) // all has moved
    const body = new URLSearchParams({ do: 'large-text', large_text: large ? 'on' : '' })
    const headers = { Accept: 'application/json', 'X-CSRFToken': csrf(form) }
    const response = await fetch(button.dataset.url, { method: 'POST', headers, body }).catch(() => null)
    if (response?.status !== 204) say('The size of the text holds for this page only: it could not be kept')
  }

  button.addEventListener('click', toggle)
  return toggle
}
