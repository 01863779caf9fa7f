import { noCycle } from './no-cycle-back.ts'

export type Two = 2
export const back = (): unknown => noCycle
