/**
 * Runs LangGraph's own specification of a checkpoint saver under our suites. It is written for globals of another test
 * runner (describe, it, expect and their hooks), of which this supplies the part that it uses; that runner itself is not
 * installed (see `overrides` in package.json).
 */
import { isDeepStrictEqual } from 'node:util'

import { assert } from '#test/kit/suite.ts'

export interface SpecTest {
  readonly name: string
  run(): Promise<void>
}

export interface Spec {
  readonly tests: readonly SpecTest[]
  /** What is still to be done after the last test. */
  leave(): Promise<void>
}

type Body = () => unknown
interface Block {
  readonly name: string
  readonly outer: Block | null
  readonly hooks: Record<HookName, Body[]>
}
type HookName = 'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach'

/** Calls `define`, during which the globals exist, and gives back the tests it declared, in order. */
export function collectSpec(define: () => void): Spec {
  const declared: { block: Block; name: string; body: Body }[] = []
  let block = newBlock('', null)
  const describeBlock = (name: string, body: Body): void => {
    const outer = block
    block = newBlock(name, outer)
    body()
    block = outer
  }
  const declare = (name: string, body: Body): void => void declared.push({ block, name, body })
  const hook =
    (name: HookName) =>
    (body: Body): void =>
      void block.hooks[name].push(body)
  const globals = {
    describe: Object.assign(describeBlock, { each: eachOf(describeBlock) }),
    it: Object.assign(declare, { each: allOf(declare), skip: () => {} }),
    expect: Object.assign(expectation, {
      soft: expectation,
      arrayContaining: (items: readonly unknown[]) => new ArrayContaining(items),
    }),
    beforeAll: hook('beforeAll'),
    afterAll: hook('afterAll'),
    beforeEach: hook('beforeEach'),
    afterEach: hook('afterEach'),
  }
  Object.assign(globalThis, globals)
  define()

  let inside: Block[] = []
  const leaveTo = async (common: number): Promise<void> => {
    const left = inside.slice(common).toReversed()
    inside = inside.slice(0, common)
    for (const each of left) for (const body of each.hooks.afterAll) await body()
  }
  const tests = declared.map(({ block: own, name, body }) => ({
    name: [...pathOf(own), { name }]
      .map((each) => each.name)
      .filter(Boolean)
      .join(' › '),
    async run() {
      const path = pathOf(own)
      const differs = path.findIndex((each, at) => inside[at] !== each)
      await leaveTo(differs < 0 ? path.length : differs)
      for (const each of path.slice(inside.length)) {
        inside.push(each)
        for (const before of each.hooks.beforeAll) await before()
      }
      for (const each of path) for (const before of each.hooks.beforeEach) await before()
      try {
        await body()
      } finally {
        for (const each of path.toReversed()) for (const after of each.hooks.afterEach) await after()
      }
    },
  }))
  return { tests: numbered(tests), leave: () => leaveTo(0) }
}

/** Some tests of the specification have the same name. */
function numbered(tests: readonly SpecTest[]): SpecTest[] {
  const seen = new Map<string, number>()
  return tests.map((test) => {
    const count = (seen.get(test.name) ?? 0) + 1
    seen.set(test.name, count)
    return count === 1 ? test : { name: `${test.name} (${count})`, run: () => test.run() }
  })
}

function newBlock(name: string, outer: Block | null): Block {
  return { name, outer, hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] } }
}

function pathOf(block: Block): Block[] {
  return block.outer === null ? [block] : [...pathOf(block.outer), block]
}

type Declare = (name: string, body: Body) => void
type Each = (rows: readonly unknown[]) => (title: string, body: (row: unknown) => unknown) => void

function eachOf(declare: Declare): Each {
  return (rows) => (title, body) => {
    for (const row of rows) declare(titleOf(title, row), () => body(row))
  }
}

/** Hundreds of rows of one table are one test, which names the row that fails. */
function allOf(declare: Declare): Each {
  return (rows) => (title, body) =>
    declare(`${title.replaceAll(/[$%]\w+/g, '…')} (${rows.length} rows)`, async () => {
      for (const row of rows) {
        try {
          await body(row)
        } catch (error) {
          throw new Error(titleOf(title, row), { cause: error })
        }
      }
    })
}

function titleOf(title: string, row: unknown): string {
  return title
    .replace('%s', String(row))
    .replaceAll(/\$(\w+)/g, (_, key: string) => String((row as Record<string, unknown>)[key]))
}

class ArrayContaining {
  readonly items: readonly unknown[]
  constructor(items: readonly unknown[]) {
    this.items = items
  }
}

function expectation(actual: unknown) {
  return {
    toBe: (expected: unknown) => assert.is(actual, expected),
    toBeDefined: () => assert.is.not(actual, undefined),
    toBeUndefined: () => assert.is(actual, undefined),
    toBeTruthy: () => assert.ok(actual),
    toEqual(expected: unknown) {
      if (expected instanceof ArrayContaining) {
        const items = actual as readonly unknown[]
        for (const item of expected.items) assert.ok(items.some((each) => isDeepStrictEqual(plain(each), plain(item))))
        return
      }
      if (!isDeepStrictEqual(plain(actual), plain(expected))) assert.equal(plain(actual), plain(expected))
    },
    not: { toBeUndefined: () => assert.is.not(actual, undefined) },
    rejects: {
      async toThrow() {
        const failed = await (actual as () => Promise<unknown>)().then(
          () => false,
          () => true,
        )
        assert.ok(failed, 'it was expected to reject')
      },
    },
  }
}

/** A copy in which members that are undefined do not count. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]))
}
