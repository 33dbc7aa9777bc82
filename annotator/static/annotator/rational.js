// Exact numbers: { n, d } with BigInt n and d > 0, in lowest terms; or, where nothing exact can be said, { x } with an
// ordinary number. Sizes are bounded, so that no line of a calculator keeps the browser busy.

const MAX_BITS = 10_000
const MAX_DIGITS = 60 // of an integer that is shown whole
const EXACT_PLACES = 30 // decimals that are shown whole
const PLACES = 12 // significant digits of what is rounded

/** What cannot be computed, in words for the reviewer. */
export class Impossible extends Error {}

const TOO_LARGE = 'too large for this calculator'
const abs = (a) => (a < 0n ? -a : a)
const bits = (a) => abs(a).toString(16).length * 4

export function gcd(a, b) {
  let [x, y] = [abs(a), abs(b)]
  while (y) [x, y] = [y, x % y]
  return x
}

export function ratio(n, d = 1n) {
  if (d === 0n) throw new Impossible('division by zero')
  const common = gcd(n, d) * (d < 0n ? -1n : 1n)
  const [top, bottom] = [n / common, d / common]
  if (bits(top) > MAX_BITS || bits(bottom) > MAX_BITS) throw new Impossible(TOO_LARGE)
  return { n: top, d: bottom }
}

export function about(x) {
  if (Number.isNaN(x)) throw new Impossible('not a real number')
  if (!Number.isFinite(x)) throw new Impossible(TOO_LARGE)
  return { x }
}

export const isExact = (a) => 'n' in a
export const isWhole = (a) => isExact(a) && a.d === 1n

export const isZero = (a) => (isExact(a) ? a.n === 0n : a.x === 0)
export const isNegative = (a) => (isExact(a) ? a.n < 0n : a.x < 0)

/** The nearest ordinary number, also of a quotient of two numbers that are none. */
export function toNumber(a) {
  if (!isExact(a)) return a.x
  const shift = BigInt(Math.max(0, Math.min(bits(a.n), bits(a.d)) - 1000))
  const x = Number(a.n >> shift) / Number(a.d >> shift)
  if (!Number.isFinite(x) || (x === 0 && a.n !== 0n)) throw new Impossible(TOO_LARGE)
  return x
}

const either = (exact, rough) => (a, b) => (isExact(a) && isExact(b) ? exact(a, b) : about(rough(toNumber(a), toNumber(b))))

export const add = either((a, b) => ratio(a.n * b.d + b.n * a.d, a.d * b.d), (a, b) => a + b)
export const subtract = either((a, b) => ratio(a.n * b.d - b.n * a.d, a.d * b.d), (a, b) => a - b)
export const multiply = either((a, b) => ratio(a.n * b.n, a.d * b.d), (a, b) => a * b)

export function divide(a, b) {
  if (isZero(b)) throw new Impossible('division by zero')
  return either((p, q) => ratio(p.n * q.d, p.d * q.n), (p, q) => p / q)(a, b)
}

export const negate = (a) => (isExact(a) ? { n: -a.n, d: a.d } : { x: -a.x })

export function floor(a) {
  if (!isExact(a)) return about(Math.floor(a.x))
  const cut = a.n / a.d
  return ratio(a.n < 0n && cut * a.d !== a.n ? cut - 1n : cut)
}

/** The remainder with the sign of `b`, so that it lies between 0 and b. */
export const mod = (a, b) => subtract(a, multiply(b, floor(divide(a, b))))

export function power(a, b) {
  if (isExact(a) && isWhole(b)) return wholePower(a, b.n)
  if (isExact(a) && isExact(b)) {
    const root = exactRoot(a, b.d)
    if (root) return wholePower(root, b.n)
  }
  return about(toNumber(a) ** toNumber(b))
}

function wholePower(a, k) {
  const size = abs(k)
  if (abs(a.n) <= 1n && a.d === 1n) return k < 0n && a.n === 0n ? ratio(1n, 0n) : { n: ofUnit(a.n, k), d: 1n }
  if (size * BigInt(Math.max(bits(a.n), bits(a.d))) > 4n * BigInt(MAX_BITS)) throw new Impossible(TOO_LARGE)
  return k < 0n ? ratio(a.d ** size, a.n ** size) : ratio(a.n ** size, a.d ** size)
}

/** Powers of -1, 0 and 1, whatever the exponent. */
function ofUnit(n, k) {
  if (k === 0n) return 1n
  return n === -1n && k % 2n === 0n ? 1n : n
}

/** The k-th root where numerator and denominator have one; null otherwise. */
export function exactRoot(a, k) {
  if (k > 64n || (a.n < 0n && k % 2n === 0n)) return null
  const [top, bottom] = [wholeRoot(abs(a.n), k), wholeRoot(a.d, k)]
  return top === null || bottom === null ? null : ratio(a.n < 0n ? -top : top, bottom)
}

function wholeRoot(n, k) {
  let low = 0n
  let high = 1n << BigInt(Math.ceil(bits(n) / Number(k)) + 1)
  while (low < high) {
    const middle = (low + high + 1n) >> 1n
    if (middle ** k <= n) low = middle
    else high = middle - 1n
  }
  return low ** k === n ? low : null
}

// --- In words -----------------------------------------------------------------------------------------

/** The exact value as "12" or "-3/4"; empty where there is none or where it is too long to read. */
export function exactText(a) {
  if (!isExact(a)) return ''
  const text = a.d === 1n ? `${a.n}` : `${a.n}/${a.d}`
  return text.length <= 2 * MAX_DIGITS ? text : ''
}

/** The value as a decimal: { text, rounded }. */
export function decimalText(a) {
  if (!isExact(a)) return { text: trimmed(a.x.toPrecision(PLACES)), rounded: true }
  const whole = wholeDecimal(a)
  return whole === null ? { text: rounded(a), rounded: true } : { text: whole, rounded: false }
}

function wholeDecimal(a) {
  let [rest, twos, fives] = [a.d, 0, 0]
  for (; rest % 2n === 0n; twos += 1) rest /= 2n
  for (; rest % 5n === 0n; fives += 1) rest /= 5n
  const places = Math.max(twos, fives)
  if (rest !== 1n || places > EXACT_PLACES || `${abs(a.n)}`.length > MAX_DIGITS) return null
  const digits = `${abs(a.n) * 10n ** BigInt(places) / a.d}`.padStart(places + 1, '0')
  const sign = a.n < 0n ? '-' : ''
  return places ? `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}` : sign + digits
}

/** Rounded half up to PLACES significant digits, by whole numbers alone. */
function rounded(a) {
  const [top, sign] = [abs(a.n), a.n < 0n ? '-' : '']
  let exponent = `${top}`.length - `${a.d}`.length
  if (top * tens(-exponent) < a.d * tens(exponent)) exponent -= 1
  const shift = PLACES - 1 - exponent
  let digits = `${(2n * top * tens(shift) + a.d * tens(-shift)) / (2n * a.d * tens(-shift))}`
  if (digits.length > PLACES) [digits, exponent] = [digits.slice(0, PLACES), exponent + 1]
  if (exponent < -6 || exponent >= PLACES) return `${sign}${trimmed(`${digits[0]}.${digits.slice(1)}`)}e${exponent}`
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits.replace(/0+$/, '')}`
  return sign + trimmed(`${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`)
}

const tens = (k) => (k > 0 ? 10n ** BigInt(k) : 1n)
const trimmed = (text) => text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '')
