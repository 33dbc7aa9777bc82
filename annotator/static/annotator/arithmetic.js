// Arithmetic from text to exact numbers: a tokenizer and a recursive descent, nothing is run as code.
//
//   line   = sum { "=" sum }                        with "=": says whether all sides are equal
//   sum    = term { ("+" | "-") term }
//   term   = unary { ("*" | "/" | "mod") unary }
//   unary  = ("-" | "+") unary | power
//   power  = factor [ "^" unary ]                   -2^2 = -4, 2^3^2 = 2^9
//   factor = (number | name | name "(" sum { "," sum } ")" | "(" sum ")") { "!" | "%" }
//
// TeX that one copies from a step works too: \frac{1}{2}, \sqrt{2}, \binom{5}{2}, \cdot, \times, \div.

import * as q from './rational.js'

const MAX_LENGTH = 500
const MAX_DEPTH = 60
const NEARLY = 1e-9
const MAX_FACTORIAL = 1000n
const TOKEN = /\s*(?:(\d+\.?\d*|\.\d+)|(\\?[a-z]+)|(.))/giuy
const SAME = {
  __proto__: null, '×': '*', '·': '*', '∙': '*', '÷': '/', '∕': '/', '−': '-', '–': '-', '{': '(', '}': ')', '[': '(', ']': ')', '√': 'sqrt',
  'π': 'pi',
}
const TEX = {
  __proto__: null, '\\cdot': '*', '\\times': '*', '\\div': '/', '\\pi': 'pi', '\\bmod': 'mod',
  '\\left': '', '\\right': '', '\\frac': 'frac', '\\dfrac': 'frac', '\\tfrac': 'frac', '\\sqrt': 'sqrt', '\\binom': 'binomial',
}

/** What cannot be read; `at` is the 0-based place in the line. */
export class Unreadable extends Error {
  constructor(message, at) {
    super(message)
    this.at = at
  }
}

/** The value of a line, or { equal, sides } of one with "=". `last` is the value of `ans`. Raises Unreadable, Impossible. */
export function evaluate(line, last = null) {
  if (line.length > MAX_LENGTH) throw new Unreadable(`at most ${MAX_LENGTH} characters`, MAX_LENGTH)
  const reader = { tokens: tokens(line), next: 0, depth: 0, last }
  const sides = [sum(reader)]
  while (takes(reader, '=')) sides.push(sum(reader))
  const rest = reader.tokens[reader.next]
  if (rest.text) throw stray(rest)
  if (sides.length === 1) return sides[0]
  return { equal: sides.slice(1).every((side) => areEqual(side, sides[0])), sides }
}

/** What is rounded is equal within NEARLY. */
function areEqual(a, b) {
  const difference = q.subtract(a, b)
  return q.isExact(difference) ? q.isZero(difference) : Math.abs(difference.x) <= NEARLY * Math.max(1, Math.abs(q.toNumber(b)))
}

function tokens(line) {
  const found = []
  TOKEN.lastIndex = 0
  const end = line.replace(/[\s$]+$/u, '').length
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(line)
    const [, number, name, sign] = match
    const at = match.index + match[0].length - (number ?? name ?? sign).length
    const raw = number ?? name ?? sign
    const text = TEX[raw] ?? SAME[raw] ?? raw.toLowerCase()
    if (text && text !== '$' && text !== '\\') found.push({ text, at, isNumber: number !== undefined, isName: /^[a-z]+$/.test(text) })
  }
  return [...found, { text: '', at: end }]
}

const peek = (reader) => reader.tokens[reader.next]

function takes(reader, ...texts) {
  const { text } = peek(reader)
  if (!texts.includes(text)) return ''
  reader.next += 1
  return text
}

function wants(reader, text) {
  if (!takes(reader, text)) throw missing(peek(reader), text)
}

function missing(token, text) {
  return new Unreadable(token.text ? `“${text}” is missing before “${token.text}”` : `“${text}” is missing at the end`, token.at)
}

function stray({ text, at, isNumber, isName }) {
  if (text === ',') return new Unreadable('write numbers without commas', at)
  if (isNumber || isName || text === '(') return new Unreadable(`write * or another sign before “${text}”`, at)
  return new Unreadable(`“${text}” does not belong here`, at)
}

const OPERATORS = { '+': q.add, '-': q.subtract, '*': q.multiply, '/': q.divide, mod: q.mod }

function sum(reader) {
  let value = term(reader)
  for (let sign; (sign = takes(reader, '+', '-')); ) value = OPERATORS[sign](value, term(reader))
  return value
}

function term(reader) {
  let value = unary(reader)
  for (let sign; (sign = takes(reader, '*', '/', 'mod')); ) value = OPERATORS[sign](value, unary(reader))
  return value
}

function unary(reader) {
  return deeper(reader, () => {
    if (takes(reader, '-')) return q.negate(unary(reader))
    if (takes(reader, '+')) return unary(reader)
    const base = factor(reader)
    return takes(reader, '^') ? q.power(base, unary(reader)) : base
  })
}

function deeper(reader, work) {
  reader.depth += 1
  if (reader.depth > MAX_DEPTH) throw new Unreadable('too many brackets or signs inside each other', peek(reader).at)
  const value = work()
  reader.depth -= 1
  return value
}

function factor(reader) {
  let value = primary(reader)
  for (let sign; (sign = takes(reader, '!', '%')); ) value = sign === '!' ? factorial(value) : percent(reader, value)
  return value
}

function percent(reader, value) {
  const { text, at, isNumber, isName } = peek(reader)
  if (isNumber || text === '(' || (isName && text !== 'mod')) throw new Unreadable('% is per cent: for the remainder write mod', at)
  return q.divide(value, q.ratio(100n))
}

function primary(reader) {
  const token = peek(reader)
  if (!token.text) throw new Unreadable('something is missing at the end', token.at)
  reader.next += 1
  if (token.isNumber) return number(token.text)
  if (token.text === '(') {
    const value = sum(reader)
    wants(reader, ')')
    return value
  }
  if (!token.isName || token.text === 'mod') throw new Unreadable(`a number is missing before “${token.text}”`, token.at)
  return named(reader, token)
}

function number(text) {
  const [whole, places = ''] = text.split('.')
  return q.ratio(BigInt(whole + places), 10n ** BigInt(places.length))
}

function named(reader, { text, at }) {
  if (text === 'ans') {
    if (!reader.last) throw new Unreadable('there is no last result yet', at)
    return reader.last
  }
  if (Object.hasOwn(CONSTANTS, text)) return { x: CONSTANTS[text] }
  if (!Object.hasOwn(FUNCTIONS, text)) throw new Unreadable(`“${text}” is not known here`, at)
  const [least, most, work] = FUNCTIONS[text]
  const values = given(reader)
  if (values.length < least || values.length > most) throw new Unreadable(`${text} takes ${least === most ? least : `${least} or more`}`, at)
  return work(...values)
}

/** What a function is given: in one bracket, or each in one of its own as TeX writes it. */
function given(reader) {
  if (peek(reader).isNumber) return [primary(reader)] // √2, \sqrt2
  wants(reader, '(')
  const values = [sum(reader)]
  while (takes(reader, ',')) values.push(sum(reader))
  wants(reader, ')')
  while (values.length === 1 && peek(reader).text === '(') {
    reader.next += 1
    values.push(sum(reader))
    wants(reader, ')')
  }
  return values
}

// --- Functions ----------------------------------------------------------------------------------------

const CONSTANTS = { pi: Math.PI, e: Math.E }

function whole(name, ...values) {
  if (!values.every(q.isWhole)) throw new q.Impossible(`${name} is of whole numbers`)
  return values.map((value) => value.n)
}

function factorial(value) {
  const [n] = whole('!', value)
  if (n < 0n || n > MAX_FACTORIAL) throw new q.Impossible(`! is of 0 to ${MAX_FACTORIAL}`)
  let product = 1n
  for (let k = 2n; k <= n; k += 1n) product *= k
  return q.ratio(product)
}

function binomial(...values) {
  const [n, k] = whole('binomial', ...values)
  if (n < 0n || k < 0n) throw new q.Impossible('binomial is of numbers from 0')
  if (k > n) return q.ratio(0n)
  const few = k < n - k ? k : n - k
  if (few > MAX_FACTORIAL) throw new q.Impossible('too large for this calculator')
  let value = q.ratio(1n)
  for (let i = 1n; i <= few; i += 1n) value = q.ratio(value.n * (n - few + i), i)
  return value
}

function lcm(a, b) {
  return a === 0n || b === 0n ? 0n : (a / q.gcd(a, b)) * b
}

function folded(name, fold) {
  return (...values) => {
    const result = whole(name, ...values).reduce(fold)
    return q.ratio(result < 0n ? -result : result)
  }
}

function root(value) {
  const exact = q.isExact(value) && q.exactRoot(value, 2n)
  return exact || rough(Math.sqrt)(value)
}

const rough = (work) => (value) => q.about(work(q.toNumber(value)))

/** Name -> least and most that it is given, and what it does. */
const FUNCTIONS = {
  sqrt: [1, 1, root], frac: [2, 2, q.divide], abs: [1, 1, (a) => (q.isNegative(a) ? q.negate(a) : a)],
  gcd: [2, 50, folded('gcd', q.gcd)], lcm: [2, 50, folded('lcm', lcm)],
  binomial: [2, 2, binomial], choose: [2, 2, binomial], floor: [1, 1, q.floor], ceil: [1, 1, (a) => q.negate(q.floor(q.negate(a)))],
  ln: [1, 1, rough(Math.log)], exp: [1, 1, rough(Math.exp)], sin: [1, 1, rough(Math.sin)], cos: [1, 1, rough(Math.cos)], tan: [1, 1, rough(Math.tan)],
}
