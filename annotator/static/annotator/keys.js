// Keys of the review screen: off while one types, with modifiers, and under an open dialog.

const TYPING = 'textarea, select, input:not([type="radio"], [type="checkbox"]), [contenteditable]'
const PRESSED_BY_ENTER = 'a, button, summary'
const ARROWS = { ArrowDown: 'next', ArrowUp: 'previous' }

// An error type is an action too; a project may call one like another action, hence the prefix.
const bindings = ({ keys, types }) => [...keys, ...types.map(([code, ...rest]) => [`type:${code}`, ...rest])]

/** Calls actions[name]() for the keys in force; `config` lists [action, key, title] and the error types. */
export function listen(config, actions) {
  const bound = new Map(bindings(config).filter(([, key]) => key).map(([action, key]) => [key, action]))
  const dialogs = document.getElementsByTagName('dialog') // kept by the browser: a search at each key is slow
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if ([...dialogs].some((dialog) => dialog.open)) return
    if (event.target.matches(TYPING)) {
      if (event.key === 'Escape') actions.leave()
      return
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    if (key === 'Enter' && event.target.matches(PRESSED_BY_ENTER)) return
    const action = bound.get(key) ?? ARROWS[key]
    if (!action || (event.repeat && action !== 'next' && action !== 'previous')) return
    if (actions[action]?.() !== false) event.preventDefault()
  })
}

/** Fills the sheet that lists the keys in force. */
export function fillSheet(dialog, config) {
  const list = dialog.querySelector('dl')
  for (const [, key, title, definition] of bindings(config)) {
    const term = document.createElement('dt')
    const shown = document.createElement('kbd')
    shown.textContent = key || '–'
    term.append(shown)
    const meaning = document.createElement('dd')
    meaning.textContent = title
    if (definition) meaning.title = definition
    list.append(term, meaning)
  }
}
