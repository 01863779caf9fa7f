const renamed = 1
export { renamed as default }
