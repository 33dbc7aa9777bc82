// The form and the judgement it holds: the same shape as core/judgement.py, so that the plain form, a draft and
// the API mean the same.

const WRONG = '-'
const UNJUDGED = '.'
const FIELDS = ['error_types', 'edit', 'insert', 'delete', 'note', 'finish_reason', 'verdict']

export const stepsOf = (form) => [...form.querySelectorAll('.step')]
export const numberOf = (step) => Number(step.id.slice(1))

/** What the form says now. */
export function read(form) {
  const data = new FormData(form)
  const n = stepsOf(form).length
  const labels = Array.from({ length: n }, (_, i) => data.get(`label-${i}`) ?? UNJUDGED)
  const draft = {
    labels: labels.join(''), error_types: {}, edit: {}, insert: {}, delete: [], note: text(data.get('note')),
    finish_reason: data.get('finish_reason') ?? '', verdict: {}, duration_ms: Number(data.get('duration_ms')) || 0,
  }
  for (let i = -1; i < n; i++) readStep(form, data, draft, i)
  for (const [name, value] of data) {
    if (name.startsWith('verdict-') && value) draft.verdict[name.slice(8)] = value
  }
  return draft
}

function readStep(form, data, draft, i) {
  const added = text(data.get(`insert-${i}`))
  if (added.trim()) draft.insert[i] = added
  if (i < 0) return
  const types = data.getAll(`type-${i}`)
  if (draft.labels[i] === WRONG && types.length) draft.error_types[i] = types
  const edit = form.elements[`edit-${i}`]
  if (edit.value.trim() && edit.value !== originalOf(edit)) draft.edit[i] = edit.value
  if (data.get(`delete-${i}`)) draft.delete.push(i)
}

/** Makes the form say what `draft` says. */
export function fill(form, draft) {
  stepsOf(form).forEach((step, i) => {
    for (const radio of form.elements[`label-${i}`]) radio.checked = radio.value === draft.labels?.[i]
    const types = draft.error_types?.[i] ?? []
    for (const box of step.querySelectorAll(`[name="type-${i}"]`)) box.checked = types.includes(box.value)
    const edit = form.elements[`edit-${i}`]
    edit.value = draft.edit?.[i] ?? originalOf(edit)
    form.elements[`delete-${i}`].checked = (draft.delete ?? []).includes(i)
    form.elements[`insert-${i}`].value = draft.insert?.[i] ?? ''
    markStep(form, step)
  })
  if (form.elements['insert--1']) form.elements['insert--1'].value = draft.insert?.[-1] ?? ''
  if (form.elements.note) form.elements.note.value = draft.note ?? ''
  fillVerdict(form, draft.verdict ?? {})
}

function fillVerdict(form, verdict) {
  for (const control of form.querySelectorAll('[name^="verdict-"]')) {
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
