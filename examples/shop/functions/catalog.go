package functions

// Product is what the shop sells.
type Product struct {
	ID         string `json:"id"`
	Title      string `json:"title"`
	Cents      int    `json:"cents"`
	Popularity int    `json:"-"`
	Color      string `json:"-"`
}

// catalog is in the order of titles.
var catalog = []Product{
	{"atlas", "Atlas of remote islands", 3200, 61, "#2a6f97"},
	{"backpack", "Backpack, 20 litres", 7900, 88, "#606c38"},
	{"boots", "Boots for wet hills", 14900, 75, "#7f5539"},
	{"compass", "Compass", 2400, 40, "#bc4749"},
	{"hat", "Hat with a brim", 3500, 52, "#e09f3e"},
	{"kettle", "Kettle, titanium", 5900, 67, "#8d99ae"},
	{"lantern", "Lantern", 4200, 71, "#ffb703"},
	{"map", "Map of the moors", 1200, 35, "#90a955"},
	{"mug", "Mug, enamel", 1500, 93, "#e5383b"},
	{"socks", "Socks, wool", 1900, 97, "#6d597a"},
	{"tent", "Tent for two", 28900, 58, "#386641"},
	{"whistle", "Whistle", 600, 22, "#14213d"},
}

func product(id string) (Product, bool) {
	for _, p := range catalog {
		if p.ID == id {
			return p, true
		}
	}
	return Product{}, false
}
