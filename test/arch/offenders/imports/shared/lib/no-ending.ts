import { clock } from './clock'

export const noEnding = clock
