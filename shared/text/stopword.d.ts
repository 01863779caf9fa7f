declare module 'stopword'
