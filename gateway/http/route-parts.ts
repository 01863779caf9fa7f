import { z } from 'zod'
import { MAX_TEXT_CHARS } from '#shared/contracts/client.ts'

/** How a message came in that was sent over REST. */
export const CHANNEL = 'rest'

export const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id is 1 to 64 of A-Z a-z 0-9 _ -')
export const Named = z.object({ id: Id })
export const Page = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().max(160).optional(),
})
export const next = z.string().nullable()
export const Text = z.string().min(1).max(MAX_TEXT_CHARS)

export function pageOf(query: { readonly limit: number; readonly after?: string | undefined }): {
  limit: number
  after: string | null
} {
  return { limit: query.limit, after: query.after ?? null }
}
