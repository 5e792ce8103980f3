"""What an assistant says, in its own spelling: numbers, units, money, dates, formulas, lists, abbreviations, prose."""

SPOKEN_TEXTS = (
    "The train covers 60 km in 45 minutes, which is three quarters of an hour. So it goes at 80 km/h, and in two hours "
    "it gets 160 km away from the station.",
    "A ticket costs $12.50, and a family of four pays $50 without the discount. With 20% off they pay $40, so they "
    "save exactly $10.",
    "The treaty was signed on May 3rd, 1789, in the old town hall. It was changed on 12/06/1804, and it was in "
    "force until the summer of 1912.",
    "Dr. Smith and Mrs. Jones live at St. James St., near the river. They have e.g. two cats, a dog, etc., and Mr. "
    "Brown of the U.S. embassy often visits them.",
    "By the rule of Pythagoras $a^2 + b^2 = c^2$, so with $a = 3$ and $b = 4$ we get $c = \\sqrt{25} = 5$. The longest "
    "side is 5 cm.",
    "The sea has tides because the moon pulls the water on the near side more strongly than it pulls the earth. On the "
    "far side the water is left behind, and so it rises there as well.",
    "First, boil 1.5 L of water. Then add 250 g of rice and 1/2 tsp of salt, and let it cook for 18 min at low heat.",
    "There are three bags with twelve apples each, that makes thirty-six apples. You give away nine, so twenty-seven "
    "are left, and each of the three children gets nine of them.",
    "**Here is the plan:**\n- wake up at 6:30 a.m.\n- run 5 km along the river\n- have breakfast at 7:45\n"
    "- be at work by 9 o'clock",
    "The city has 1,234,567 inhabitants, about 3.5 million with its suburbs. In 1950 it had only 200,000, so it has "
    "grown six times as large.",
    "Light travels at about $3 \\times 10^8$ m/s, so it needs 8 min 20 s from the sun to the earth. Sound would "
    "need roughly 14 years for the same way.",
    "Half of 30 is 15, and a third of 30 is 10, so together they make 25. What is left is 5, which is one sixth of "
    "what we began with.",
    "I would take the night train, because it is cheap and you save a hotel. It leaves at 22:15 from platform 7 and "
    "arrives at 08:40; you should be there ten minutes early.",
    "At -5 °C the pond is frozen, but at 20 °C the children can swim. The water is 1.2 m deep, and the bottom is "
    "covered with mud and stones.",
    "A dozen eggs costs £3.60, that is 30p for each egg. For the cake we need 5 of them, so they come to £1.50, and "
    "the flour adds another 80p.",
)
