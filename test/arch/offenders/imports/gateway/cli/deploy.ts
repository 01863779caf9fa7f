import { main } from '#deploy/embedded/main.ts'

export const deploy = main
