// What machines said beside what the reviewer says: loud where the two differ, also after a change of mind.

/** The same rule as views/review_reveal.py: who did not judge a step does not disagree about it. */
export const differ = (theirs, mine) => theirs !== mine && theirs !== '.' && mine !== '.'

export function markSources(step, mine) {
  const box = step?.querySelector('.saids')
  if (!box) return
  const said = [...box.dataset.said]
  ;[...box.children].forEach((child, k) => child.classList.toggle('differs', differ(said[k], mine)))
}

/** The next step, round about, where a machine says otherwise; -1 where none does. */
export function nextDifference(steps, here) {
  for (let k = 1; k <= steps.length; k++) {
    const i = (here + k) % steps.length
    if (steps[i].querySelector('.said.differs')) return i
  }
  return -1
}
