import { CATALOGUE } from '#shared/errors/catalogue.ts'

export const upwards = CATALOGUE
