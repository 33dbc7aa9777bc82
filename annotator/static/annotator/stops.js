// Where one stops at the first error, the steps after it step back. The style sheet alone could say so, but only
// with a selector that the browser tries anew on every step at every key.

import { stepsOf } from './form.js'

export function markStop(form, labels) {
  if (!form.classList.contains('stops')) return
  const stop = labels.indexOf('-')
  stepsOf(form).forEach((step, i) => step.classList.toggle('after', stop >= 0 && i > stop))
}
