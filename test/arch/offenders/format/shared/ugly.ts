export const ugly = { "double" : 1 };
