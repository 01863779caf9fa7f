const noDefaultExport = 1
export default noDefaultExport
