export type Upwards = import('#shared/errors/catalogue.ts').ErrorCode
