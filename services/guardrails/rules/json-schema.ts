import { z } from 'zod'
import { compileSchema } from '#shared/lib/json-schema/compile-schema.ts'
import type { Rule } from '../rule.ts'

const Config = z.strictObject({ schema: z.record(z.string(), z.unknown()) })

/** The whole must be JSON that fits a schema. */
export const jsonSchema: Rule = {
  name: 'json_schema',
  stages: ['tool_call', 'tool_result', 'output'],
  actions: ['block', 'flag'],
  compile(config) {
    const check = compileSchema(Config.parse(config).schema)
    return ({ text, value }, { piece }) => {
      if (piece) return null
      let read = value
      if (read === undefined) {
        try {
          read = JSON.parse(text)
        } catch {
          return { reason: 'This is not in the expected form: it is no JSON.', rewritten: null }
        }
      }
      const [problem] = check.problems(read)
      if (problem === undefined) return null
      const where = problem.path === '' ? '' : `${problem.path} `
      return { reason: `This is not in the expected form: ${where}${problem.message}.`, rewritten: null }
    }
  },
}
