import { newId } from '../lib/ids.ts'

export const relativeOut = newId
