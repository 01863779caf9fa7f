import { readFile } from 'node:fs/promises'

export const builtIn = readFile
