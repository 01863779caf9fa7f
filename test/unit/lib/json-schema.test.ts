import { compileSchema, SchemaRefused } from '#shared/lib/json-schema/compile-schema.ts'
import { assert, suite } from '#test/kit/suite.ts'

const refused = (schema: unknown, why: RegExp): void =>
  assert.throws(
    () => compileSchema(schema as object),
    (error: unknown) => error instanceof SchemaRefused && why.test(error.message),
    String(why),
  )

suite('json schema', ({ test }) => {
  test('says what does not fit and where, without quoting the value', () => {
    const check = compileSchema({
      type: 'object',
      properties: { id: { type: 'string', pattern: '^\\d{4}$' }, kind: { enum: ['a', 'b'] } },
      required: ['id'],
      additionalProperties: false,
    })
    assert.equal(check.problems({ id: '1042' }), [])
    const said = JSON.stringify(check.problems({ id: 'my-secret', kind: 'my-secret', more: 1 }))
    assert.ok(said.includes('"path":"id"') && said.includes('must be one of') && said.includes('must not have'))
    assert.not(said.includes('my-secret'))
    assert.equal(check.problems({}), [{ path: '', message: "must have required property 'id'" }])
  })

  test('compiles the same content once', () => {
    const schema = (): object => ({ type: 'object', properties: { n: { type: 'integer' } } })
    assert.is(compileSchema(schema()), compileSchema(schema()))
  })

  test('reads what OpenAPI adds', () => {
    const check = compileSchema({
      type: 'object',
      'x-origin': 'import',
      properties: { n: { type: 'integer', format: 'int32', nullable: true, example: 4 } },
      $defs: { unused: { type: 'string' } },
    })
    assert.equal(check.problems({ n: null }), [])
    assert.is(check.problems({ n: 'x' }).length, 1)
  })

  test('follows references into itself, and only there', () => {
    const check = compileSchema({ $defs: { id: { type: 'integer' } }, properties: { a: { $ref: '#/$defs/id' } } })
    assert.is(check.problems({ a: 'x' }).length, 1)
    refused({ $ref: 'http://127.0.0.1/schema.json' }, /into the schema itself/)
    refused({ properties: { a: { $ref: 'other.json#/a' } } }, /into the schema itself/)
    refused({ properties: { a: { $ref: '#/$defs/none' } } }, /nothing is at/)
    refused({ $id: 'https://json-schema.org/draft/2020-12/schema', type: 'string' }, /\$id/)
  })

  test('refuses what grows beyond its length', () => {
    const bomb: Record<string, unknown> = { a40: { type: 'string' } }
    for (let level = 0; level < 40; level++) {
      const next = { $ref: `#/$defs/a${level + 1}` }
      bomb[`a${level}`] = { allOf: [next, next] }
    }
    refused({ $defs: bomb, $ref: '#/$defs/a0' }, /more than/)
    refused({ $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' }, /circle/)
    refused({ properties: { child: { $ref: '#' } } }, /circle/)
    let deep: object = { type: 'string' }
    for (let level = 0; level < 40; level++) deep = { properties: { a: deep } }
    refused(deep, /nested deeper/)
    refused({ enum: ['x'.repeat(70_000)] }, /longer than/)
  })

  test('refuses a misspelt keyword instead of checking nothing', () => {
    refused({ type: 'object', requird: ['id'] }, /requird/)
    refused({ type: 'nonsense' }, /./)
    refused('string', /object/)
  })

  test('runs patterns in linear time or not at all', () => {
    refused({ type: 'string', pattern: '(?=a)b' }, /look-around/)
    refused({ type: 'object', patternProperties: { '(a)\\1': {} } }, /back-reference/)
    const check = compileSchema({ type: 'string', pattern: '^(a+)+$' })
    const begun = performance.now()
    assert.is(check.problems(`${'a'.repeat(20_000)}!`).length, 1)
    assert.ok(performance.now() - begun < 1_000)
  })

  test('what could not be checked in time does not fit', () => {
    const check = compileSchema({ type: 'string', pattern: '(a?){100}(a?){100}b' })
    assert.equal(check.problems('a'.repeat(200_000)), [{ path: '', message: 'could not be checked' }])
  })
})
