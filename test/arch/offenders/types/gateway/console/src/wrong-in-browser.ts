export const wrongInBrowser: number = 'text'
