// Keys of the review screen: off while one types, with modifiers, and under an open dialog.

const TYPING = 'textarea, select, input:not([type="radio"], [type="checkbox"]), [contenteditable]'
const PRESSED_BY_ENTER = 'a, button, summary'
const ARROWS = { ArrowDown: 'next', ArrowUp: 'previous' }

/** Calls actions[name]() for the keys in force; `config.keys` lists [action, key, title]. */
export function listen(config, actions) {
  const bound = new Map(config.keys.map(([action, key]) => [key, action]))
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
  for (const [action, key, title] of config.keys) {
    const term = document.createElement('dt')
    const shown = document.createElement('kbd')
    shown.textContent = key
    term.append(shown)
    const meaning = document.createElement('dd')
    meaning.textContent = title
    if (config.definitions[action]) meaning.title = config.definitions[action]
    list.append(term, meaning)
  }
}
