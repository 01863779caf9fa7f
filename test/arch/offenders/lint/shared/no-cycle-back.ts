import { back } from './no-cycle.ts'

export const noCycle = (): unknown => back
