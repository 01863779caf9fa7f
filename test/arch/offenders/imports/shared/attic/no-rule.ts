import { newId } from '#shared/lib/ids.ts'

export const noRule = newId
