import { portContract } from './port.ts'

portContract('an adapter, which is right')
