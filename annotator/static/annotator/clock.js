// How long the reviewer was at work on this item: the time in which the page was in view and somebody touched it.
// After a minute without a pointer, a key or scrolling the clock stands until the next; that last minute counts,
// since reading is work.

const IDLE_AFTER_MS = 60_000
const WRITE_EVERY_MS = 1000
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'scroll', 'input', 'touchstart']

/** Adds the time at work to the hidden `field`, which holds milliseconds; returns a function that does so now. */
export function startClock(field) {
  let counted = performance.now() // up to here it is in the field
  let active = performance.now() // the last sign of life
  let inView = !document.hidden

  function write() {
    const now = performance.now()
    const until = Math.min(now, active + IDLE_AFTER_MS)
    if (inView && until > counted) field.value = Math.round(Number(field.value) + until - counted)
    counted = now
  }

  function touched() {
    const now = performance.now()
    if (now - active > IDLE_AFTER_MS) write() // what was idle is passed over
    active = now
  }

  function turned() {
    write()
    inView = !document.hidden
    touched()
  }

  setInterval(write, WRITE_EVERY_MS)
  document.addEventListener('visibilitychange', turned)
  for (const sign of SIGNS) document.addEventListener(sign, touched, { capture: true, passive: true })
  return write
}
