// Parts of the top right corner, such as a bell: a module adds its own with addCorner.
const parts = [];

export const addCorner = (part) => parts.push(part);
export const corner = () => parts;
