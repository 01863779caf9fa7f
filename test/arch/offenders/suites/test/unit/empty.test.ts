import { assert } from '#test/kit/suite.ts'

assert.ok(true)
