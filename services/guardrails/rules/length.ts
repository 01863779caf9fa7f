import { z } from 'zod'
import { ANYWHERE } from '../rule.ts'
import type { Rule } from '../rule.ts'
import { textSubject } from '../subject.ts'

const Config = z
  .strictObject({
    maxChars: z.number().int().positive().max(1_000_000).optional(),
    minChars: z.number().int().positive().max(1_000_000).optional(),
    maxLines: z.number().int().positive().max(100_000).optional(),
  })
  .refine((config) => Object.values(config).some((value) => value !== undefined), 'needs at least one limit')

/** Too long, too short, too many lines. `rewrite` cuts what is too long; a cut cannot make anything longer. */
export const length: Rule = {
  name: 'length',
  stages: ANYWHERE,
  actions: ['block', 'rewrite', 'flag'],
  compile(config, action) {
    const { maxChars = Infinity, minChars = 0, maxLines = Infinity } = Config.parse(config)
    if (action === 'rewrite' && minChars > 0) throw new TypeError('minChars cannot be rewritten')
    return (subject, { piece }) => {
      if (piece) return null
      const { text } = subject
      if (text.trim().length < minChars)
        return { reason: `This is shorter than ${minChars} characters.`, rewritten: null }
      const lines = maxLines === Infinity ? 0 : text.split('\n').length
      if (text.length <= maxChars && lines <= maxLines) return null
      const limit = lines > maxLines ? `${maxLines} lines` : `${maxChars} characters`
      if (action !== 'rewrite') return { reason: `This is longer than ${limit}.`, rewritten: null }
      if (subject.value !== undefined) throw new TypeError('JSON cannot be cut')
      const cut = text.split('\n').slice(0, maxLines).join('\n').slice(0, maxChars)
      return { reason: `Cut to ${limit}.`, rewritten: textSubject(cut.toWellFormed()) }
    }
  },
}
