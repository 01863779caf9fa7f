import { test } from 'uvu'

export const rawUvu = test
