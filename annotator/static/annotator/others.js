// Other ways to go on from a step: read and filled with the form, moved through between the steps.

const found = new WeakMap()

/** Each other way, with its radios; found once, since most items have none. */
function othersOf(form) {
  if (!found.has(form)) {
    found.set(form, [...form.querySelectorAll('.other')].map((other) => {
      const radios = [...other.querySelectorAll('input')]
      return { id: radios[0].name.slice('other-'.length), radios }
    }))
  }
  return found.get(form)
}

export function readOthers(form) {
  const labels = {}
  for (const { id, radios } of othersOf(form)) {
    const radio = radios.find((one) => one.checked)
    if (radio) labels[id] = radio.value
  }
  return labels
}

export function fillOthers(form, labels = {}) {
  for (const { id, radios } of othersOf(form)) {
    for (const radio of radios) radio.checked = radio.value === labels[id]
  }
}

/** The other ways of a step, as far as they show: once the step is judged. */
export const shownIn = (step) => (step ? [...step.querySelectorAll('.other')].filter((other) => other.offsetParent) : [])

export const otherAt = (element) => element?.closest('.other') ?? null

export function labelOther(other, value) {
  for (const radio of other.querySelectorAll('input')) radio.checked = radio.value === value
}

export function focusOther(other) {
  other.focus({ preventScroll: true })
  other.scrollIntoView({ block: 'nearest', behavior: 'instant' })
}
