import { compileSchema } from '#shared/lib/json-schema/compile-schema.ts'
import type { AgentProfile } from './profile.ts'

/** An agent with an output schema answers in JSON of that shape; what does not fit goes back to the model. */
export function verifyOutput(
  { outputSchema }: Pick<AgentProfile, 'outputSchema'>,
  answer: string,
): { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly feedback: string } {
  if (outputSchema === null) {
    return answer.trim() === '' ? { ok: false, feedback: 'It was empty.' } : { ok: true, data: null }
  }
  let data: unknown
  try {
    data = JSON.parse(answer.replace(/^\s*```(?:json)?|```\s*$/g, ''))
  } catch {
    return { ok: false, feedback: 'It was not JSON.' }
  }
  const problems = compileSchema(outputSchema).problems(data)
  if (problems.length === 0) return { ok: true, data }
  return { ok: false, feedback: problems.map((problem) => `${problem.path || 'value'}: ${problem.message}`).join('; ') }
}
