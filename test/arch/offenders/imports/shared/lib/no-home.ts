import leftPad from 'left-pad'

export const noHome = leftPad
