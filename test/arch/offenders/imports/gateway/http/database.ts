import { openDatabase } from '#shared/db/database.ts'

export const database = openDatabase
