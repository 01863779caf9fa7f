import { connect } from 'nats'

export const notItsHome = connect
