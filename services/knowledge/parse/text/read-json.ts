import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { block } from '../block.ts'
import { onePage } from '../one-page.ts'
import type { Block } from '../parsed-page.ts'
import { questionPair } from '../question-rows.ts'
import type { Reader } from '../reader.ts'
import { decodeText } from './decode-text.ts'

const MAX_DEPTH = 40
const TITLES = ['title', 'name', 'heading', 'subject']
const TEXTS = ['text', 'body', 'content', 'description', 'answer']

/** A record a block: "key: value" lines; records with a question and an answer are pairs, with title and text a section. */
export const readJson: Reader = async ({ bytes, type }, ports) => {
  const text = decodeText(bytes)
  const records = type === 'jsonl' ? lines(text) : recordsOf(parsed(text, 1))
  const blocks = records.flatMap(recordBlocks)
  return onePage(ports, blocks, '', { records: String(records.length) })
}

function lines(text: string): unknown[] {
  return text
    .split('\n')
    .map((line, at) => ({ line: line.trim(), at }))
    .filter(({ line }) => line !== '')
    .map(({ line, at }) => parsed(line, at + 1))
}

function parsed(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    const reason = `line ${line}: ${coerceError(thrown).message}`
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 1, reason }, { cause: thrown })
  }
}

/** The longest list of a document is what it is about: {"items": […]} and the like. */
function recordsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  if (!isRecord(value)) return [value]
  const lists = Object.values(value).filter((one): one is unknown[] => Array.isArray(one) && one.every(isRecord))
  const only = Object.keys(value).length === 1 ? lists[0] : undefined
  return only ?? [value]
}

function recordBlocks(record: unknown): Block[] {
  if (!isRecord(record)) return kept([block('paragraph', show(record))])
  const question = record['question'] ?? record['q']
  const answer = record['answer'] ?? record['a']
  if (typeof question === 'string' && typeof answer === 'string') return questionPair(question, answer)
  const title = TITLES.find((key) => typeof record[key] === 'string' && record[key] !== '')
  const body = TEXTS.find((key) => typeof record[key] === 'string')
  if (title !== undefined && body !== undefined) {
    const rest = flat(record, '', 0, new Set([title, body]))
    return kept([
      block('heading', String(record[title]), 2),
      block('paragraph', String(record[body])),
      block('paragraph', rest.join('\n')),
    ])
  }
  return kept([block('paragraph', flat(record, '', 0, new Set()).join('\n'))])
}

function flat(value: unknown, path: string, depth: number, without: ReadonlySet<string>): string[] {
  if (depth > MAX_DEPTH) return []
  if (Array.isArray(value)) {
    if (value.every((one) => !isRecord(one) && !Array.isArray(one))) return [`${path}: ${value.map(show).join(', ')}`]
    return value.flatMap((one, at) => flat(one, `${path}[${at}]`, depth + 1, without))
  }
  if (!isRecord(value)) return value === null || value === '' ? [] : [`${path}: ${show(value)}`]
  return Object.entries(value)
    .filter(([key]) => depth > 0 || !without.has(key))
    .flatMap(([key, inner]) => flat(inner, path === '' ? key : `${path}.${key}`, depth + 1, without))
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

function kept(blocks: readonly (Block | null)[]): Block[] {
  return blocks.filter((one) => one !== null)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
