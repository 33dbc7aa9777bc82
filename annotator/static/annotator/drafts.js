// Saves every change at once, and keeps what could not be saved in the browser until it can: a lost connection,
// a closed tab or a second tab loses nothing (design.md section 5).

import { fill, read, same } from './form.js'

const PREFIX = 'plumbline.draft.'
const FIRST_RETRY_MS = 2000
const LAST_RETRY_MS = 30000
const SHOW_SAVING_AFTER_MS = 300

export const csrf = (form) =>
  /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? form.elements.csrfmiddlewaretoken.value

/** Drafts of the form's assignment. `onFill` is called when another draft was put into the form. */
export function makeDrafts(form, onFill) {
  if (form.elements.practice) return { changed() {}, finish() {}, show() {}, settled: true } // nothing is kept
  const { assignment, phase, user, draftUrl: url } = form.dataset
  const key = PREFIX + assignment
  const status = document.getElementById('saved')
  let version = Number(form.elements.version.value)
  let waiting = 0
  let sending = false
  let conflict = false
  let closed = false
  let timer = 0
  let slow = 0
  let retryMs = FIRST_RETRY_MS

  function changed(delay = 0) {
    if (closed) return
    wait(waiting + 1)
    clearTimeout(slow)
    slow = setTimeout(() => conflict || show('saving', 'Saving…'), SHOW_SAVING_AFTER_MS)
    store()
    if (!conflict) later(delay)
  }

  function wait(count) {
    waiting = count
    status.dataset.waiting = count
  }

  function store() {
    const entry = { url, version, phase, user, waiting, draft: read(form) }
    try { localStorage.setItem(key, JSON.stringify(entry)) } catch { /* full or forbidden: the server still has it */ }
  }

  function later(delay) {
    clearTimeout(timer)
    timer = setTimeout(send, delay)
  }

  async function send() {
    if (sending || conflict || closed || !waiting) return
    sending = true
    const [draft, sent] = [read(form), waiting]
    const response = await put(url, version, draft, csrf(form))
    const body = await answer(response)
    clearTimeout(slow)
    sending = false // only now: until the answer is read the version is the old one
    if (closed) return
    if (response?.ok) saved(body, sent)
    else refused(response, body)
  }

  function saved(body, sent) {
    version = body.version
    form.elements.version.value = version
    wait(waiting - sent)
    retryMs = FIRST_RETRY_MS
    if (waiting) {
      store()
      return send()
    }
    localStorage.removeItem(key)
    show('saved', 'Saved')
  }

  function refused(response, body) {
    if (response?.status === 409) return disagree()
    if (response?.status === 400) return show('waiting', `Not saved: ${body.message}`)
    const signedOut = response?.status === 401 || response?.status === 403
    show('waiting', signedOut ? 'Signed out: sign in in another tab' : `Offline, ${waiting} waiting`)
    later(retryMs)
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
  }

  /** Somebody else, or I in another tab, saved since: both are kept until the reviewer says which counts. */
  async function disagree() {
    conflict = true
    const theirs = await answer(await get(url.replace(/\/draft$/, '')))
    if (!theirs.draft) {
      conflict = false
      return later(retryMs)
    }
    if (!phaseOf(theirs.state, phase)) return show('conflict', 'Sent from another tab', ['Reload', reload])
    if (same(theirs.draft, read(form))) return resolve(theirs.version, false)
    choose(theirs)
  }

  function choose(theirs) {
    conflict = true
    show('conflict', 'Changed in another tab', ['Keep mine', () => resolve(theirs.version, true)], ['Take theirs', () => {
      fill(form, theirs.draft)
      onFill()
      resolve(theirs.version, false)
    }])
  }

  function resolve(theirVersion, mine) {
    conflict = false
    version = theirVersion
    form.elements.version.value = version
    if (mine) {
      store()
      return send()
    }
    wait(0)
    localStorage.removeItem(key)
    show('saved', 'Saved')
  }

  /** What an earlier visit could not send. */
  function replay() {
    const entry = kept(key)
    if (!entry || entry.user !== user) return
    const shown = read(form)
    if (same(entry.draft, shown)) return localStorage.removeItem(key)
    wait(entry.waiting)
    fill(form, entry.draft)
    onFill()
    if (entry.phase === phase && entry.version === version) send()
    else choose({ draft: shown, version })
  }

  function show(state, words, ...choices) {
    status.dataset.state = state
    status.replaceChildren(words, ...choices.map(([title, act]) => button(title, act)))
  }

  /** After the server has taken the judgement itself, its draft is of no more use. */
  function finish() {
    closed = true
    wait(0)
    clearTimeout(timer)
    clearTimeout(slow)
    localStorage.removeItem(key)
  }

  addEventListener('online', () => later(0))
  addEventListener('offline', () => waiting && show('waiting', `Offline, ${waiting} waiting`))
  addEventListener('beforeunload', (event) => waiting && event.preventDefault())
  document.addEventListener('visibilitychange', () => document.hidden && send())
  replay()
  replayOthers(key, user, form)
  return { changed, finish, show, get settled() { return !conflict } }
}

/** Saves of other items that were left in this browser, by the same person. */
async function replayOthers(mine, user, form) {
  const others = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX) && key !== mine)
  for (const key of others) {
    const entry = kept(key)
    if (entry?.user !== user) continue
    const response = await put(entry.url, entry.version, entry.draft, csrf(form))
    const over = response?.status === 409 && (await answer(response)).field !== 'version'
    if (response?.ok || over) localStorage.removeItem(key)
  }
}

function kept(key) {
  try { return JSON.parse(localStorage.getItem(key)) } catch { return null }
}

async function put(url, version, draft, token) {
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token }
  try {
    return await fetch(url, { method: 'PUT', headers, body: JSON.stringify({ version, draft }) })
  } catch {
    return null // no connection
  }
}

async function get(url) {
  try { return await fetch(url) } catch { return null }
}

async function answer(response) {
  try { return await response.json() } catch { return {} }
}

const phaseOf = (state, phase) => (state === 'committed') === (phase === 'revealed') && state !== 'submitted'
const reload = () => location.reload()

function button(title, act) {
  const made = document.createElement('button')
  made.type = 'button'
  made.className = 'btn small'
  made.textContent = title
  made.addEventListener('click', act)
  return made
}
