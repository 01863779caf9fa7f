import { one } from './one.ts'
import type { Three } from './three.ts'

export const two = (): unknown => one
export type Two = Three
