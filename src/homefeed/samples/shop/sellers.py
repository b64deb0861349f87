"""The sellers of the shop sample: invented brands, the adjectives they use, and the looks they offer."""

from __future__ import annotations

from typing import Final

from homefeed.samples import paragraphs, split

PALETTES: Final = {name: split(words, ", ") for name, words in paragraphs("""
tech: Black, White, Midnight Blue, Silver, Graphite, Rose Gold, Mint Green, Red
steel: Stainless Steel, Matte Black, Copper, Cream, White, Red, Silver
wood: Oak, Walnut, White, Beech, Slate Grey, Black, Pine
cloth: Navy Blue, Charcoal, Olive Green, Burgundy, Black, White, Mustard, Sky Blue, Rust, Beige
home: Beige, Slate Grey, Teal, Terracotta, Ivory, Forest Green, Dusty Pink, Navy Blue
play: Red, Yellow, Sky Blue, Mint Green, Pink, Lilac, Orange, Multicolour
weight: 250 g, 500 g, 1 kg, Pack of 2, Pack of 4, Pack of 6
volume: 50 ml, 100 ml, 200 ml, 250 ml, Pack of 2, Travel Size
count: Pack of 2, Pack of 3, Pack of 5, Pack of 10, Value Pack
plain:
""")}  # fmt: skip
"""The looks and sizes of products."""

MEASURES: Final = ("weight", "volume", "count", "plain")
"""The palettes that are sizes of packs, or nothing, rather than looks."""

BRANDS: Final = {name: split(words, ", ") for name, words in paragraphs("""
Electronics: Aurivox, Brontek, Kelvaro, Zentrix, Lumaris, Ostrava Audio, Nubira, Pixelune
Computers: Quillbyte, Tarvex, Kelvaro, Hexaline, Mirrordesk, Zentrix, Orbinet, Pagemill
Appliances: Brisaire, Homewell, Calderon, Vestor, Friska, Steamwright, Alpenkraft, Donnel
Home & Kitchen: Larkmere, Copperhen, Nordhus, Tablewright, Willowby, Casa Umbra, Softdale, Homewell
Furniture: Nordhus, Oakhollow, Lindqvart, Casa Umbra, Benchley & Rowe, Stillform, Hearthmoor, Plankton
Men's Fashion: Ardenne, Tailor & Finch, Rugger Bay, Northgait, Hollis Street, Urban Heron, Marlow Denim, Kestrel
Women's Fashion: Belisama, Ardenne, Rose Quarter, Hollis Street, Lunette, Vela Mori, Paper Daisy, Kestrel
Beauty & Health: Dermaluna, Purelle Botanica, Olivane, Silkroot, Vitalmark, Rosewater Lane, Clearbrook, Mintaro
Baby & Kids: Tumblekin, Little Otter, Cuddlemoor, Snugbury, Pipkin, Mamalou, Babynest, Duckling Row
Toys & Games: Blockberry, Pipkin, Wobbletown, Puzzlewick, Tinkerfox, Gamehollow, Funmill, Joyhatch
Sports & Outdoors: Feathershot, Trailcrest, Ironmoss, Velodrift, Northgait, Corevane, Swimlark, Goalmark
Bags & Luggage: Trailcrest, Portmanteau Co, Wayfold, Cabinly, Urban Heron, Rollaway, Packmoor, Skyhaul
Pet Supplies: Barkwell, Whiskerby, Pawridge, Finlagoon, Muttley & Co, Happytail, Purrfield, Waggon
Grocery: Morning Acre, Roastery Nine, Millstone, Verdano, Sunbarn, Teahaven, Cocoa Lane, Oliveto
Garden: Greenthumb & Sons, Fernhill, Rakewell, Sunbarn, Emberyard, Bloomcraft, Mossgate, Hedgerow
Tools & DIY: Ironmoss, Drillhaus, Boltwick, Handyforge, Paintlark, Alpenkraft, Torqson, Workbench Bros
Office & Stationery: Pagemill, Inkwell & Co, Notemaple, Scriptane, Deskfield, Paperhawk, Quillbyte, Staplewood
Automotive: Roadlark, Motorbay, Drivewell, Autoshine, Torqson, Tarmac Co, Gearmoor, Wheelhouse
Musical Instruments: Fretwood, Ostrava Audio, Melodane, Chordwell, Harmona, Reedly, Stringfellow, Tempora
""")}  # fmt: skip
"""The invented brands of each main category, the most expensive last."""

ADJECTIVES: Final = {name: split(words, ", ") for name, words in paragraphs("""
Electronics: Compact, Pro, Ultra, Smart, Slim, Sport, Max
Computers: Ergonomic, Compact, Pro, Slim, Essential, Ultra, Silent
Appliances: Compact, Digital, Deluxe, Energy Saving, Classic, Powerful, Quiet
Home & Kitchen: Classic, Premium, Modern, Rustic, Everyday, Handmade, Elegant
Furniture: Modern, Solid, Scandinavian, Compact, Classic, Industrial, Comfort
Men's Fashion: Slim Fit, Classic, Casual, Vintage, Lightweight, Premium, Regular Fit
Women's Fashion: Elegant, Casual, Vintage, Lightweight, Floral, Premium, Classic
Beauty & Health: Gentle, Natural, Daily, Intensive, Organic, Professional, Sensitive
Baby & Kids: Soft, Cosy, Gentle, Foldable, Organic, Cheerful, Safe
Toys & Games: Classic, Deluxe, Wooden, Giant, Mini, Educational, Magic
Sports & Outdoors: Lightweight, Professional, Outdoor, Training, Sturdy, Classic, Competition
Bags & Luggage: Lightweight, Expandable, Durable, Business, Weekend, Compact, Waterproof
Pet Supplies: Natural, Durable, Comfort, Premium, Grain Free, Everyday, Large
Grocery: Organic, Fine, Fair Trade, Traditional, Premium, Family, Whole
Garden: Sturdy, Weatherproof, Classic, Organic, Foldable, Compact, Premium
Tools & DIY: Heavy Duty, Professional, Compact, Precision, Universal, Classic, Powerful
Office & Stationery: Classic, Premium, Recycled, Executive, Everyday, Fine, Smooth
Automotive: Universal, Premium, Heavy Duty, Compact, Quick, Pro, Durable
Musical Instruments: Beginner, Concert, Classic, Studio, Professional, Travel, Acoustic
""")}  # fmt: skip
"""The adjectives that sellers of each main category use."""
