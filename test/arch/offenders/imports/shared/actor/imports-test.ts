import { suite } from '#test/kit/suite.ts'

export const importsTest = suite
