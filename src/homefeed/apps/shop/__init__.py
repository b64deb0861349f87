"""shop: the products of a shop, by what people clicked, bought and looked for."""
