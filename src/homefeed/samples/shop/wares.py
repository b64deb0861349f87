"""The assortment of the shop sample: its shelves and the kinds of products on each, as sellers name them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from homefeed.samples import Words, paragraphs


@dataclass(frozen=True)
class Kind:
    """One kind of product: its names, the most common first, its usual price, and its features."""

    names: Words
    price: float
    details: Words
    palette: str


@dataclass(frozen=True)
class Shelf:
    """A sub-category; `audience` is whom its products are for, if not for all."""

    main: str
    name: str
    audience: str
    kinds: tuple[Kind, ...]


def _shelf(heading: str, words: str) -> Shelf:
    main, _, name = heading.partition(" > ")
    audience = re.match(r"(Men's|Women's|Kids') ", name)
    groups = [kind for group in words.split("; ") for kind in _kinds(group)]
    return Shelf(main, name, audience[1] if audience else "", tuple(groups))


def _kinds(group: str) -> list[Kind]:
    """Kinds with the same features: names and prices / details [palette]."""
    named, _, rest = group.partition(" / ")
    details, _, palette = rest.rstrip(" ]").partition(" [")
    priced = (words.rpartition(" ") for words in named.split(", "))
    return [
        Kind(tuple(names.split("|")), float(price), tuple(details.split(", ")), palette)
        for names, _, price in priced
    ]


SHELVES: Final = tuple(_shelf(heading, words) for heading, words in paragraphs("""
Electronics > Mobile Phones: smartphone|mobile phone|cell phone 320, refurbished smartphone|renewed mobile|used
  cell phone 190 / 128 GB Storage, Dual SIM, 5G, 50 MP Camera, AMOLED Display, 5000 mAh Battery [tech]; keypad
  phone|basic mobile|senior phone 45 / Big Buttons, Emergency Key, Long Battery Life [tech]
Electronics > Phone Accessories: phone case|mobile cover|cell phone cover 14 / Shockproof Corners, Magnetic Ring,
  Card Pocket [tech]; screen protector|tempered glass|screen guard 9 / 9H Hardness, Easy Fit Frame, Privacy Filter
  [count]; phone charger|fast charger|wall adapter 18, power bank|portable charger|battery pack 28, usb-c
  cable|charging cable|charger cord 8 / Fast Charging, 20 W Output, Overheat Protection, Two Year Guarantee
  [tech]; selfie stick|phone tripod 20 / Remote Shutter, Foldable, Steady Legs [tech]
Electronics > Headphones: wireless earbuds|bluetooth earphones|true wireless headphones 45, over-ear
  headphones|wireless headphones|bluetooth headset 85 / Noise Cancelling, 30 Hour Battery, Deep Bass, Water
  Resistant, Touch Control [tech]; wired earphones|in-ear headphones|earbuds with mic 14, gaming headset|gaming
  headphones 60 / Built-in Microphone, Tangle Free Cable, Surround Sound, Deep Bass [tech]
Electronics > Speakers: bluetooth speaker|wireless speaker|portable speaker 50 / Waterproof, 12 Hour Playtime,
  Stereo Pairing, Deep Bass [tech]; soundbar|tv speaker|sound bar 140, smart speaker|voice assistant speaker 70 /
  80 W Output, Multi Room Sound, Wall Mountable, Voice Control [tech]
Electronics > Televisions: smart tv|led television|4k tv 450 / 4K HDR, 55 Inch, 43 Inch, Slim Bezel, Three HDMI
  Ports [tech]; streaming stick|media player 45, universal remote|remote control 15 / Voice Search, Easy Setup, 4K
  HDR [plain]; tv wall mount|tv bracket 28 / Tilting, 32 to 65 Inch, Full Motion [plain]; projector|home cinema
  projector 230 / Full HD, 6000 Lumens, Keystone Correction [tech]
Electronics > Cameras: mirrorless camera|digital camera 780, action camera|sports camera 210 / Image
  Stabilisation, 4K Video, 24 MP Sensor, Wi-Fi Transfer [tech]; instant camera|instant print camera 95 / Self
  Timer, Selfie Mirror, Auto Exposure [play]; camera tripod|camera stand 40, camera bag|camera backpack 48 / Quick
  Release, Lightweight, Rain Cover [tech]; memory card|sd card 16 / 64 GB, 128 GB, 256 GB [plain]; instant
  film|photo paper 18 / Glossy, White Frame, 20 Sheets [count]
Electronics > Wearables: smartwatch|smart watch|fitness watch 150, fitness tracker|activity band|fitness band 45 /
  Heart Rate Monitor, GPS, Sleep Tracking, Swim Proof, Seven Day Battery [tech]; watch strap|replacement band 14 /
  Soft Silicone, Milanese Mesh, Genuine Leather [tech]
Computers > Laptops: laptop|notebook computer 720, gaming laptop|gaming notebook 1250, student laptop|budget
  notebook 330 / 16 GB RAM, 512 GB SSD, Backlit Keyboard, Full HD Display, 12 Hour Battery, Fingerprint Reader
  [tech]; tablet|tablet computer 260 / 10 Inch, 128 GB Storage, Octa Core, Kids Mode [tech]
Computers > Computer Accessories: wireless mouse|cordless mouse 18, mechanical keyboard|gaming keyboard 75 /
  Silent Clicks, RGB Lighting, Rechargeable, Programmable Keys [tech]; laptop sleeve|laptop cover|notebook case
  19, laptop stand|notebook riser 27 / 15 Inch, 13 Inch, Foldable [tech]; usb hub|docking station 35, webcam|web
  camera 42 / Plug and Play, Full HD, Seven Ports [tech]; mouse pad|mouse mat 10 / Non Slip Base, Wrist Rest,
  Extra Large [play]
Computers > Monitors: computer monitor|pc screen|desktop display 210 / 27 Inch, 24 Inch, 144 Hz, Curved, Eye Care
  [tech]; monitor arm|monitor mount 45 / Gas Spring, Dual Screen, Desk Clamp [tech]; hdmi cable|display cable 9 /
  2 m, 5 m, 8K Ready, Gold Plated [plain]
Computers > Storage & Networking: external hard drive|portable hard disk 75, ssd|solid state drive 68, usb
  stick|pen drive|flash drive 12 / 1 TB, 256 GB, USB 3.2, Password Protection, Metal Case [tech]; wifi
  router|wireless router 70, wifi extender|range booster 32 / Dual Band, Four Antennas, Easy Setup, Parental
  Control [tech]
Computers > Printers: inkjet printer|all-in-one printer 110, laser printer|office printer 170 / Wireless Printing,
  Duplex, Scanner, 30 Pages a Minute [tech]; ink cartridge|printer ink 28, toner cartridge|printer toner 52 / High
  Yield, Quick Drying, Refillable [count]; copy paper|printer paper|a4 paper 9 / 500 Sheets, 80 g, Recycled
  [count]
Appliances > Kitchen Appliances: coffee machine|espresso machine|coffee maker 160 / 15 Bar Pump, Milk Frother,
  Removable Tank, Timer [steel]; electric kettle|water boiler 35, toaster|bread toaster 32 / 1.7 Litre, Auto Shut
  Off, Two Slots, 1500 W [steel]; blender|smoothie maker|mixer grinder 58, hand mixer|electric whisk 30 / Five
  Speeds, Ice Crushing, Turbo Mode [steel]; air fryer|hot air fryer 95 / 5 Litre, Non Stick Basket, Eight
  Programmes [steel]
Appliances > Large Appliances: fridge|refrigerator|fridge freezer 520 / Frost Free, 300 Litre, Water Dispenser
  [steel]; washing machine|washer 430, tumble dryer|clothes dryer 380, dishwasher|dish washer 400 / 8 kg, Inverter
  Motor, Quick Programme, Low Noise [steel]; microwave|microwave oven 105 / 20 Litre, Grill, Defrost [steel];
  laundry detergent|washing liquid 13, dishwasher tablets|dishwasher capsules 12 / Fresh Scent, 60 Washes,
  Phosphate Free [count]
Appliances > Heating & Cooling: air conditioner|ac unit|cooling unit 430, ceiling fan|overhead fan 75, pedestal
  fan|standing fan 42 / Remote Control, Three Speeds, Sleep Mode, Low Noise [steel]; room heater|space
  heater|electric radiator 55 / Thermostat, 2000 W, Tip Over Protection [steel]; air purifier|air cleaner 130,
  purifier filter|replacement filter 26 / HEPA Filter, Activated Carbon, For 40 Square Metres [plain]
Appliances > Cleaning: vacuum cleaner|upright cleaner 120, robot vacuum|robot cleaner 250 / Cordless, Pet Hair
  Brush, HEPA Filter, Room Mapping [steel]; steam iron|clothes iron 38, ironing board|ironing table 40 / Ceramic
  Plate, 2400 W, Drip Stop, Height Adjustable [steel]; vacuum bags|dust bags 12 / Extra Strong, Universal Fit,
  Odour Stop [count]
Home & Kitchen > Cookware: frying pan|skillet|fry pan 32, saucepan|cooking pot 36, casserole|dutch oven 70,
  pressure cooker|steam cooker 65 / Non Stick, Induction Base, Glass Lid, 28 cm, Cast Iron [steel]; utensil
  set|spatula set|cooking tools 19, baking tray|oven sheet 13, oven gloves|oven mitts 11 / Heat Resistant,
  Dishwasher Safe, Silicone [home]
Home & Kitchen > Tableware: coffee mugs|mug set|coffee cups 18, dinner set|plate set|crockery set 55 / Stoneware,
  12 Pieces, Hand Painted, Microwave Safe [home]; cutlery set|flatware 34 / 24 Pieces, Mirror Polished, Gift Box
  [steel]; wine glasses|stemware 26, water jug|carafe 19 / Lead Free Glass, 350 ml, Hand Blown [count];
  tablecloth|table cover 20 / Linen, Stain Resistant, 140 x 240 cm [home]
Home & Kitchen > Bedding: bed linen|bed sheets|bedsheet set 38, duvet|comforter|quilt 62, blanket|throw 32 / Pure
  Cotton, Double Size, King Size, Microfibre, Breathable [home]; pillow|bed pillow 20, mattress protector|mattress
  cover 24 / Memory Foam, Hypoallergenic, Waterproof, Machine Washable [count]
Home & Kitchen > Bath: bath towels|towel set 28, bathrobe|dressing gown 40, bath mat|bathroom rug 16 / Quick
  Drying, Pure Cotton, Extra Soft [home]; shower curtain|bath curtain 17 / Mould Resistant, 180 x 200 cm, With
  Rings [home]; shower head|hand shower 24 / Five Spray Modes, Water Saving, Chrome [steel]
Home & Kitchen > Lighting: table lamp|desk lamp|bedside lamp 32, floor lamp|standing lamp 68, ceiling
  light|pendant lamp 58 / Dimmable, Touch Control, Linen Shade, E27 Socket [home]; led bulb|light bulb 7, fairy
  lights|string lights 14 / Warm White, 9 W, 10 m, Remote Control [count]
Home & Kitchen > Decoration: wall clock|hanging clock 24 / Silent Movement, 30 cm, Large Digits [wood]; picture
  frame|photo frame 13, scented candle|aroma candle 15 / Set of 2, A4, Lavender, Vanilla [count]; curtains|drapes
  36, cushion cover|throw pillow cover 12, rug|carpet 85 / Handwoven, Blackout, Washable, Geometric Pattern [home]
Home & Kitchen > Storage: storage box|organiser bin 18, food containers|lunch box|airtight jars 20 / With Lid,
  Stackable, BPA Free, Leak Proof [home]; laundry basket|laundry hamper 25, shoe rack|shoe shelf 34,
  hangers|clothes hangers 14 / Foldable, Space Saving, Bamboo [home]
Furniture > Living Room: sofa|couch|settee 560, armchair|recliner|lounge chair 240 / Three Seater, Velvet Cover,
  Metal Legs, Washable Cover [home]; coffee table|centre table 130, tv unit|tv stand|media console 180,
  bookcase|bookshelf 110 / Solid Wood, Storage Space, Easy Assembly [wood]
Furniture > Bedroom: bed frame|double bed|bedstead 310, wardrobe|closet|armoire 380, bedside table|nightstand 75,
  dressing table|vanity table 190 / Storage Drawers, Sliding Doors, Solid Wood, With Mirror [wood]; mattress|foam
  mattress 270 / Memory Foam, 160 x 200 cm, Medium Firm, Cooling Gel [plain]
Furniture > Office Furniture: office chair|desk chair|swivel chair 150 / Lumbar Support, Mesh Back, Armrests
  [tech]; desk|writing desk|computer table 180, filing cabinet|drawer unit 120 / Height Adjustable, 120 cm, Cable
  Tray, Lockable Drawers [wood]; seat cushion|chair cushion 26 / Memory Foam, Non Slip, Cooling Gel [home]
Men's Fashion > Men's Clothing: shirt|casual shirt|button-down 30, t-shirt|tee|tee shirt 15 / Pure Cotton, Linen
  Blend, Full Sleeve, Wrinkle Free [cloth]; trousers|pants|chinos 36, jeans|denim pants 48 / Stretch Fabric, Slim
  Cut, Straight Leg [cloth]; jacket|coat 78, jumper|sweater|pullover 42, suit|two-piece suit 170 / Merino Wool,
  Zip Pockets, Water Repellent, Fully Lined [cloth]
Men's Fashion > Men's Shoes: trainers|sneakers|casual shoes 60, running shoes|jogging shoes 78 / Cushioned Sole,
  Breathable Mesh, Wide Fit, Memory Foam [cloth]; formal shoes|dress shoes|oxfords 85, boots|ankle boots 98,
  sandals|slippers 24 / Genuine Leather, Non Slip Sole, Hand Stitched [cloth]; shoe polish|shoe cream 8 / High
  Gloss, Beeswax, Water Repellent [count]
Men's Fashion > Men's Accessories: belt|leather belt 24, wallet|billfold 28 / Genuine Leather, Gift Box, RFID
  Blocking [cloth]; watch|wristwatch 110 / Analogue Dial, Chronograph, Water Resistant [steel]; tie|necktie 19,
  socks|ankle socks 11 / Pure Silk, Combed Cotton, Striped [cloth]; sunglasses|shades 34 / UV Protection,
  Polarised, Metal Frame [tech]
Men's Fashion > Men's Grooming: beard trimmer|hair clipper 38, razor|shaver 16, razor blades|shaver cartridges 15
  / Five Blades, Rechargeable, Washable, Sensitive Skin [plain]; shaving foam|shaving cream 6, aftershave|after
  shave lotion 18 / Aloe Vera, Cooling Menthol, Sandalwood [volume]
Women's Fashion > Women's Clothing: dress|frock|midi dress 48, blouse|top|tunic 26, skirt|midi skirt 32 / A-Line,
  V-Neck, Floral Print, Soft Viscose [cloth]; jeans|denim pants 46, trousers|pants|slacks 36 / High Waist, Stretch
  Fabric, Side Pockets [cloth]; cardigan|sweater|knit jumper 40, coat|jacket 88 / Merino Wool, Oversized, Water
  Repellent [cloth]
Women's Fashion > Women's Shoes: trainers|sneakers|casual shoes 58, running shoes|jogging shoes 76 / Cushioned
  Sole, Breathable Mesh, Wide Fit, Memory Foam [cloth]; heels|pumps|stilettos 62, ankle boots|booties 82,
  sandals|slippers 32, ballet flats|ballerinas 36 / Block Heel, Vegan Leather, Ankle Strap, Non Slip Sole [cloth]
Women's Fashion > Women's Accessories: handbag|purse|tote bag 58, scarf|shawl 22 / Vegan Leather, Pure Silk,
  Magnetic Clasp [cloth]; sunglasses|shades 34 / UV Protection, Polarised, Cat Eye [tech];
  tights|stockings|pantyhose 9 / 40 Denier, Opaque, Ladder Resistant [cloth]; earrings|ear studs 24,
  necklace|pendant chain 36, jewellery box|jewelry organiser 25 / Sterling Silver, Gold Plated, Gift Box [plain]
Beauty & Health > Skin Care: face cream|moisturiser|moisturizing lotion 18, face serum|vitamin c serum 20, face
  mask|sheet mask 11 / Hyaluronic Acid, Niacinamide, Fragrance Free [volume]; sunscreen|sun cream|sunblock 14,
  face wash|facial cleanser 9 / SPF 50, Aloe Vera, Tea Tree Oil, Oil Free [volume]
Beauty & Health > Hair Care: shampoo|hair cleanser 9, hair conditioner|conditioner 9, hair oil|hair serum 12 /
  Argan Oil, Anti Dandruff, Keratin, Sulphate Free [volume]; hair dryer|blow dryer 36, hair straightener|flat iron
  42, hair brush|paddle brush 10 / Ionic Care, Ceramic Plates, Travel Size [tech]
Beauty & Health > Make-up: lipstick|lip colour 11, nail polish|nail varnish 6 / Matte Finish, Long Lasting, Vegan
  [play]; mascara|lash mascara 10, foundation|base make-up 17, make-up remover|cleansing water 9 / Waterproof,
  Natural Finish, Vitamin E [volume]; make-up brushes|cosmetic brush set 18 / 12 Pieces, Synthetic Hair, Travel
  Case [tech]
Beauty & Health > Health Care: electric toothbrush|sonic toothbrush 48, toothbrush heads|brush heads 17 / Two
  Minute Timer, Soft Bristles, Whitening [count]; toothpaste|tooth gel 5, multivitamins|vitamin tablets 15 / Sugar
  Free, Fluoride, Mint Taste [count]; blood pressure monitor|bp machine 39 / Large Display, Upper Arm, Two Users
  [plain]; first aid kit|medical kit 22 / 90 Pieces, Carry Case, For Travel [plain]
Baby & Kids > Baby Care: nappies|diapers|diaper pants 22, baby wipes|wet wipes 9, nappy cream|diaper rash cream 8
  / Fragrance Free, Newborn Size, Zinc Oxide, 12 Hour Dryness [count]; baby bottle|feeding bottle 12, bottle
  steriliser|bottle sterilizer 48 / Anti Colic, BPA Free, Six Bottles [plain]; baby monitor|baby camera 85 / Night
  Vision, Two Way Talk, Lullabies [plain]
Baby & Kids > Nursery: pram|stroller|pushchair 220, car seat|baby seat 160, pram rain cover|stroller rain cover 19
  / One Hand Fold, Five Point Harness, Sun Canopy, Breathable [play]; cot|crib|baby bed 170, cot mattress|crib
  mattress 65, changing mat|diaper changing pad 24 / Beech Wood, Washable Cover, 60 x 120 cm [play]
Baby & Kids > Kids' Clothing: pyjamas|pajamas|nightwear 18, jumper|sweater 22 / Organic Cotton, Animal Print,
  Machine Washable [play]; raincoat|rain jacket 27, wellies|rain boots|gumboots 21, trainers|sneakers 32, school
  bag|school backpack 30 / Reflective Strips, Dinosaur Design, Easy Straps, Waterproof [play]
Toys & Games > Toys: building blocks|construction bricks 32, doll|fashion doll 22, doll house|dollhouse 65, soft
  toy|plush toy|stuffed animal 18 / 120 Pieces, Washable, Ages 3 Plus, Gift Box [play]; rc car|remote control car
  38, toy train|train set 42 / Lights and Sound, Rechargeable, Ages 6 Plus [play]; aa batteries|rechargeable
  batteries 11 / 2500 mAh, Low Self Discharge, Long Life [count]
Toys & Games > Board Games: board game|family game 29, card game|playing cards 11, chess set|chess board 27 / Two
  to Six Players, Ages 8 Plus, Travel Size, Party Edition [plain]; jigsaw puzzle|puzzle 16, puzzle mat|puzzle roll
  20 / 1000 Pieces, 500 Pieces, Landscape [plain]
Toys & Games > Arts & Crafts: colouring pencils|crayons|coloring pencils 10, poster paint|tempera paint 14,
  modelling clay|play dough 12 / 24 Colours, Non Toxic, Washable [count]; colouring book|coloring book 8, craft
  paper|coloured card 9, glue stick|craft glue 5 / Animals, 100 Sheets, Ages 3 Plus [count]
Toys & Games > Video Games: game console|gaming console 380, game controller|gamepad|joypad 48, charging
  dock|controller charger 22 / Wireless, Vibration, LED Indicator, Two Controllers [tech]; racing game|driving
  video game 42, adventure game|action video game 44 / Online Play, Two Player Mode, Open World [plain]
Sports & Outdoors > Racket Sports: badminton racket|badminton racquet 38, tennis racket|tennis racquet 85 / Carbon
  Frame, Pre Strung, Carry Bag [play]; shuttlecocks|birdies 13, tennis balls|tennis ball pack 9 / Feather,
  Tournament Quality, Slow Speed [count]; racket grip|overgrip 8, table tennis set|ping pong set 28 / Anti Slip,
  Extra Soft, Two Players [play]
Sports & Outdoors > Fitness: yoga mat|exercise mat 26, yoga block|foam block 13, foam roller|massage roller 21 /
  Non Slip, 6 mm Thick, Carry Strap [play]; dumbbells|hand weights 38, resistance bands|exercise bands 17,
  skipping rope|jump rope 11 / Rubber Coated, Set of 5, Adjustable [tech]; exercise bike|stationary bike 260 /
  Magnetic, Foldable, Pulse Sensors [tech]
Sports & Outdoors > Cycling: mountain bike|bicycle|city bike 420 / 21 Gears, Disc Brakes, 28 Inch Wheels [tech];
  bike helmet|cycling helmet 42 / Lightweight, Reflective, Adjustable [tech]; bike light|bicycle lamp 19, bike
  lock|cycle lock 24, bike pump|bicycle pump 21 / USB Rechargeable, Hardened Steel, Quick Release [tech]; water
  bottle|drinks bottle 13 / 750 ml, Leak Proof, Insulated [play]
Sports & Outdoors > Camping: tent|camping tent 130, sleeping bag|camp bag 55, camping mat|sleeping pad 32 / Two
  Person, Waterproof, Three Season, Self Inflating [cloth]; camping stove|gas cooker 36 / Windproof, Piezo
  Ignition, Foldable [plain]; gas cartridge|gas canister 9 / Butane Mix, 450 g, Screw Valve [count]; head
  torch|headlamp 22 / 300 Lumens, Rechargeable, Red Light [play]; hiking backpack|rucksack 85 / 40 Litre, Rain
  Cover, Padded Straps [cloth]
Sports & Outdoors > Team Sports & Swimming: football|soccer ball 24, basketball|basket ball 26, shin pads|shin
  guards 15 / Hand Stitched, Size 5, Soft Touch [play]; swimming goggles|swim goggles 16, swimsuit|bathing
  suit|swimwear 32, swim cap|bathing cap 9 / Anti Fog, UV Protection, Chlorine Resistant [play]
Bags & Luggage > Luggage: suitcase|trolley bag|trolley case 95, travel bag|duffel bag|holdall 48 / Hard Shell,
  Cabin Size, Four Wheels, Combination Lock [tech]; packing cubes|luggage organisers 21, luggage tag|bag tag 9,
  neck pillow|travel pillow 18 / Set of 6, Memory Foam, Water Repellent [cloth]; travel adapter|plug adapter 19 /
  Worldwide, Four USB Ports, Surge Protection [plain]
Bags & Luggage > Backpacks: laptop backpack|laptop bag|notebook rucksack 48, day pack|casual backpack 36,
  messenger bag|shoulder bag 44, bum bag|waist pack|fanny pack 20 / 25 Litre, USB Port, Padded Straps, Anti Theft,
  Recycled Fabric [cloth]
Pet Supplies > Dogs: dog food|dry dog food 34, dog treats|dog chews 10 / Real Chicken, Small Breeds, No Artificial
  Colours [weight]; poo bags|dog waste bags 8 / Biodegradable, Extra Thick, Lavender [count]; dog lead|dog leash
  16, dog collar|puppy collar 13, dog bed|pet bed 42 / Reflective, Adjustable, Padded, Washable [cloth]
Pet Supplies > Cats: cat food|wet cat food 26, cat litter|kitty litter 15 / Salmon, Clumping, Odour Control, Grain
  Free [weight]; litter tray|litter box 24, scratching post|cat tree 48, cat toy|kitten toy 9 / Sisal Rope, With
  Hood, Catnip [home]
Pet Supplies > Fish: fish tank|aquarium 85, aquarium filter|tank filter 27 / 60 Litre, LED Light, Quiet Pump
  [plain]; fish food|fish flakes 7, aquarium gravel|tank gravel 11 / Tropical, Natural Colour, Vitamin Rich
  [weight]
Grocery > Coffee & Tea: coffee beans|whole bean coffee 14, ground coffee|filter coffee 9, coffee capsules|coffee
  pods 13 / Dark Roast, Arabica, Single Origin, Decaffeinated [weight]; green tea|tea leaves 7, black tea|tea bags
  6 / Assam, Jasmine, Earl Grey [weight]; coffee filters|filter papers 4 / Size 4, Unbleached, 100 Sheets [count]
Grocery > Baking: flour|wheat flour|plain flour 3, cake mix|sponge mix 5, icing sugar|powdered sugar 4 / Stone
  Ground, Gluten Free, Finely Milled [weight]; baking powder|raising agent 3, baking chocolate|cooking chocolate
  5, food colouring|icing colour 6 / No Additives, Resealable Bag, Vegan [count]
Grocery > Pantry: pasta|spaghetti 3, rice|basmati rice 6, breakfast cereal|muesli|granola 5 / Wholegrain, Gluten
  Free, Low Salt [weight]; pasta sauce|tomato sauce 4, curry paste|curry sauce 5, salsa|tomato dip 4,
  crisps|potato chips 3 / Mild, Hot, No Additives [count]; olive oil|extra virgin oil 11, spice
  set|spices|seasoning 12 / Cold Pressed, Gift Box, Single Estate [volume]
Garden > Gardening: lawn mower|grass cutter 190 / Self Propelled, 36 V Battery, 40 Litre Basket [plain];
  secateurs|pruning shears 18, gardening gloves|garden gloves 10 / Thorn Proof, Soft Grip, Left Handed [plain];
  garden hose|hosepipe 32, hose nozzle|spray gun 14 / 30 m, Eight Patterns, Kink Free [plain]; plant
  pot|planter|flower pot 19 / Drainage Holes, Frost Proof, 30 cm [home]; potting soil|compost 11, vegetable
  seeds|seed packets 6 / Peat Free, Slow Release, Heirloom [count]
Garden > Outdoor Living: barbecue|bbq grill|charcoal grill 130, grill tongs|bbq tools 21, charcoal|barbecue coal
  12 / Rust Free, Long Burning, With Lid [plain]; garden chair|patio chair 55, parasol|garden umbrella 75, patio
  cushion|garden cushion 23 / Foldable, UV Resistant, Water Repellent, 3 m [home]
Tools & DIY > Power Tools: cordless drill|electric drill|drill driver 85, circular saw|hand-held saw 110,
  sander|sanding machine 62 / 18 V, Two Batteries, Brushless Motor, Dust Bag [plain]; drill bits|drill bit set 21,
  saw blades|circular blades 26, sandpaper|sanding sheets 9 / 24 Pieces, Carbide Tips, Assorted Grits [count]
Tools & DIY > Hand Tools: hammer|claw hammer 17, tape measure|measuring tape 11, toolbox|tool chest 38 / Soft
  Grip, Extra Strong, Magnetic [plain]; screwdriver set|screwdrivers 23, spanner set|wrench set 34 / Chrome
  Vanadium, 40 Pieces, Storage Case [plain]; nails|wire nails 6, screws|wood screws 7 / Galvanised, 50 mm, 500
  Pieces [count]
Tools & DIY > Painting: wall paint|emulsion paint 32 / Low Odour, Washable, One Coat [home]; paint
  brushes|paintbrush set 12, paint roller|roller set 14, masking tape|painters tape 6, dust sheet|drop cloth 9 /
  No Shedding, Sharp Edges, 50 m, Easy Clean [count]
Office & Stationery > Writing: fountain pen|ink pen 34 / Fine Nib, Gift Box, With Converter [steel]; pencil
  case|pen pouch 12, notebook|journal|writing pad 11 / Hard Cover, 200 Pages, Elastic Band [cloth]; ink bottle|pen
  ink 10, ballpoint pens|biros 7, highlighters|marker pens 8 / Quick Drying, Pastel Colours, Fine Tip [count]
Office & Stationery > Office Supplies: stapler|desk stapler 13, hole punch|paper punch 11, calculator|scientific
  calculator 19 / 25 Sheets, Metal Body, Solar Powered [tech]; staples|staple refills 4, ring binder|lever arch
  file 6, plastic wallets|punched pockets 5 / A4, Acid Free, Extra Strong [count]
Automotive > Car Accessories: dash cam|car camera 75 / Night Vision, Loop Recording, Parking Mode [plain]; car
  phone holder|car phone mount 17, car charger|in-car charger 14, jump starter|battery booster 72 / Dual USB, Easy
  Fit, 360 Degree Rotation [plain]; seat covers|car seat covers 58, car mats|floor mats 38 / Universal Fit,
  Waterproof, Non Slip [cloth]
Automotive > Car Care: car shampoo|car wash soap 11, car wax|car polish 16, wheel cleaner|rim cleaner 12 / Streak
  Free, Carnauba, Acid Free [volume]; microfibre cloths|cleaning cloths 10 / Lint Free, Extra Soft, 40 x 40 cm
  [count]; pressure washer|jet washer 130 / 1800 W, Foam Nozzle, 8 m Hose [plain]
Musical Instruments > Guitars: acoustic guitar|folk guitar 140, electric guitar|e-guitar 230, ukulele|uke 45 /
  Spruce Top, Full Size, Cutaway, Gig Bag [wood]; guitar strings|string set 11, guitar picks|plectrums 6 / Bronze
  Wound, Light Gauge, Coated [count]; guitar stand|guitar holder 21, guitar amplifier|guitar amp 110 / Foldable,
  20 W, Headphone Socket [tech]
Musical Instruments > Keys & Recording: digital piano|electric piano 420, keyboard|music keyboard 130, keyboard
  stand|piano stand 38 / 88 Keys, Weighted Action, Height Adjustable [tech]; microphone|recording mic 72, audio
  interface|sound card 95, pop filter|mic filter 13 / USB, Cardioid, Phantom Power [tech]
"""))  # fmt: skip

MAINS: Final = tuple(main for main, _ in groupby(shelf.main for shelf in SHELVES))
"""The main categories, in the order of their shelves."""
