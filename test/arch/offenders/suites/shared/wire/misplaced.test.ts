import { suite } from '#test/kit/suite.ts'

suite('misplaced', ({ test }) => test('is never found', () => undefined))
