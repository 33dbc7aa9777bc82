// Steps that one act labelled together. The form's field has each with the label it was given, "3+,4+": one that is
// labelled otherwise since is no longer bulk (views/review_form.py reads it alike).

const positionIn = (part) => parseInt(part.slice(0, -1), 10)
const parts = (form) => form.elements.bulk.value.split(',').filter(Boolean)
const isGiven = (labels) => (part) => labels[positionIn(part)] === part.slice(-1)

/** 0-based positions, ascending; `labels`: what the form says of each step now. */
export const readBulk = (form, labels) => parts(form).filter(isGiven(labels)).map(positionIn)

export function fillBulk(form, steps, positions, labels) {
  const all = [...new Set(positions)].sort((a, b) => a - b)
  form.elements.bulk.value = all.map((i) => i + labels[i]).join(',')
  markBulk(steps, all)
}

/** A label given by hand, be it the same one. */
export function byHand(form, steps, i) {
  const left = parts(form).filter((part) => positionIn(part) !== i)
  form.elements.bulk.value = left.join(',')
  steps[i]?.classList.remove('bulk')
}

function markBulk(steps, positions) {
  const now = new Set(positions)
  steps.forEach((step, i) => step.classList.toggle('bulk', now.has(i)))
}

/** The unjudged steps after `i` that are labelled like it: none past the stop, where judging stops. */
export function followers(labels, i, stops) {
  const stop = stops ? labels.indexOf('-') : -1
  return [...labels].flatMap((label, at) => (label === '.' && at > i && (stop < 0 || at < stop) ? [at] : []))
}
