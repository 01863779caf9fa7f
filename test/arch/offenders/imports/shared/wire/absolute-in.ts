import { encode } from '#shared/wire/codec.ts'

export const absoluteIn = encode
