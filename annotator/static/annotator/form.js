// The form and the judgement it holds: the same shape as core/judgement.py, so that the plain form, a draft and
// the API mean the same.

import { fillBulk, readBulk } from './bulk.js'
import { fillOthers, readOthers } from './others.js'

const WRONG = '-'
const UNJUDGED = '.'
const FIELDS = ['error_types', 'edit', 'insert', 'delete', 'note', 'finish_reason', 'verdict', 'bulk', 'alternatives']

export const stepsOf = (form) => controlsOf(form).map(({ step }) => step)
export const numberOf = (step) => Number(step.id.slice(1))

// Found once: asking a form of a hundred steps for its data, or for a control by name, takes longer than a key may.
const found = new WeakMap()

/** Each step with its own controls, and the controls that answer questions. */
function allOf(form) {
  if (!found.has(form)) {
    const steps = [...form.querySelectorAll('.step')].map(controlsIn)
    found.set(form, { steps, verdicts: [...form.querySelectorAll('[name^="verdict-"]')] })
  }
  return found.get(form)
}

const controlsOf = (form) => allOf(form).steps
const verdictsOf = (form) => allOf(form).verdicts

function controlsIn(step) {
  const i = numberOf(step)
  const named = (name) => [...step.querySelectorAll(`[name="${name}-${i}"]`)]
  const [edit, insert, remove] = ['edit', 'insert', 'delete'].map((name) => named(name)[0])
  return { step, labels: named('label'), types: named('type'), edit, insert, remove }
}

/** What the form says now. */
export function read(form) {
  const controls = controlsOf(form)
  const before = form.elements['insert--1']
  const draft = {
    labels: controls.map(({ labels }) => chosen(labels) ?? UNJUDGED).join(''), error_types: {}, edit: {}, insert: {},
    delete: [], note: text(form.elements.note?.value), finish_reason: form.elements.finish_reason.value, verdict: {},
    duration_ms: Number(form.elements.duration_ms.value) || 0,
  }
  draft.bulk = readBulk(form, draft.labels)
  draft.alternatives = readOthers(form)
  if (before?.value.trim()) draft.insert[-1] = text(before.value)
  controls.forEach((one, i) => readStep(one, draft, i))
  for (const control of verdictsOf(form)) readVerdict(control, draft.verdict)
  return draft
}

const chosen = (radios) => radios.find((radio) => radio.checked)?.value

function readStep({ types, edit, insert, remove }, draft, i) {
  if (insert.value.trim()) draft.insert[i] = text(insert.value)
  const kinds = draft.labels[i] === WRONG ? types.filter((box) => box.checked).map((box) => box.value) : []
  if (kinds.length) draft.error_types[i] = kinds
  if (edit.value.trim() && edit.value !== originalOf(edit)) draft.edit[i] = edit.value
  if (remove.checked) draft.delete.push(i)
}

function readVerdict(control, verdict) {
  if (control.type === 'radio' && !control.checked) return
  if (control.value) verdict[control.name.slice(8)] = control.value
}

/** Makes the form say what `draft` says. */
export function fill(form, draft) {
  controlsOf(form).forEach(({ step, labels, types, edit, insert, remove }, i) => {
    for (const radio of labels) radio.checked = radio.value === draft.labels?.[i]
    const kinds = draft.error_types?.[i] ?? []
    for (const box of types) box.checked = kinds.includes(box.value)
    edit.value = draft.edit?.[i] ?? originalOf(edit)
    remove.checked = (draft.delete ?? []).includes(i)
    insert.value = draft.insert?.[i] ?? ''
    markStep(form, step)
  })
  if (form.elements['insert--1']) form.elements['insert--1'].value = draft.insert?.[-1] ?? ''
  if (form.elements.note) form.elements.note.value = draft.note ?? ''
  fillBulk(form, stepsOf(form), draft.bulk ?? [], draft.labels ?? '')
  fillOthers(form, draft.alternatives)
  fillVerdict(form, draft.verdict ?? {})
}

function fillVerdict(form, verdict) {
  for (const control of verdictsOf(form)) {
    const value = verdict[control.name.slice(8)]
    if (control.type === 'radio') control.checked = control.value === value
    else if (value) control.value = value
  }
}

/** Shows on the step that it was edited, added to or deleted, and the wording that was put in its place. */
export function markStep(form, step) {
  const i = numberOf(step)
  const edit = form.elements[`edit-${i}`]
  const edited = edit.value.trim() !== '' && edit.value !== originalOf(edit)
  const added = form.elements[`insert-${i}`].value.trim()
  step.classList.toggle('edited', edited)
  step.classList.toggle('added', added !== '')
  step.classList.toggle('deleted', form.elements[`delete-${i}`].checked)
  showYours(step, [edited && `yours · ${edit.value}`, added && `yours, after it · ${added}`].filter(Boolean))
}

function showYours(step, lines) {
  const shown = [...step.querySelectorAll('.yours')]
  if (shown.length === lines.length && shown.every((line) => line.querySelector('ins, del'))) {
    if (!step.querySelector('.tools').open) return // marked by the server, and nothing was touched since
  }
  for (const line of shown) line.remove()
  for (const line of lines) {
    const box = document.createElement('div')
    box.className = 'was yours'
    box.textContent = line
    step.querySelector('.body').append(box)
  }
}

/** Whether two judgements say the same; time spent is not a difference. */
export function same(a, b) {
  const blank = UNJUDGED.repeat(Math.max(a.labels?.length ?? 0, b.labels?.length ?? 0))
  const like = (name) => plain(a[name]) === plain(b[name])
  return (a.labels || blank) === (b.labels || blank) && FIELDS.every(like)
}

const plain = (value) => (!value || Object.keys(value).length === 0 ? '' : JSON.stringify(value))
const text = (value) => (value ?? '').replaceAll('\r\n', '\n')
const originalOf = (edit) => text(edit.dataset.original ?? edit.defaultValue)
