"""What users say in the comparison of ends of turns: whole questions, and turns with a pause in them.

A pause is marked "|". Its kind says why the turn is not over there:
    filler      the speaker hesitates: "um ..."
    clause      a subordinate clause waits for its main clause
    sentences   the question's facts are told, the question comes next
    hanging     a word that nobody stops at

Three sets of the same make. "tuned": the thresholds and word lists of the decider were first chosen on it. "dev": what
later rules are chosen on. "other": nothing is ever chosen on it; it is only measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TurnTexts:
    """20 whole questions, and for every kind of pause 10 turns."""

    whole: tuple[str, ...]
    paused: Mapping[str, tuple[str, ...]]


_TUNED_WHOLE = (
    "How fast is it?",
    "What is the capital of France?",
    "Can you explain why the sky is blue?",
    "How many apples are left in the basket?",
    "Why does the moon have phases?",
    "Is it safe to swim in the river?",
    "Who wrote the book about the white whale?",
    "What time does the last train leave?",
    "Tell me a story about a lighthouse keeper.",
    "Explain how a violin makes its sound.",
    "How much is seventeen times twenty three?",
    "Could you give me a recipe for bread?",
    "Where does the salt in the sea come from?",
    "Should I get a dog or a cat?",
    "Please tell me how tides work.",
    "What happens if I add ten more?",
    "How old is my sister?",
    "Do penguins have knees?",
    "How do you spell necessary?",
    "What should I cook tonight?",
)
_TUNED_PAUSED = {
    "filler": (
        "A train travels, um... | sixty kilometers in forty five minutes. How fast is it?",
        "Can you tell me, um... | why the sky is blue?",
        "If I have twelve apples, uh... | and give away five, how many are left?",
        "So I want to know, uh... | how a violin makes its sound.",
        "How do you, um... | spell the word necessary?",
        "What is the, um... | capital of France?",
        "I have about, uh... | thirty students in my class. How many tables do I need?",
        "The price was forty, uh... | two dollars. How much is the tax?",
        "Well, um... | could you give me a recipe for bread?",
        "My sister is three years older than, uh... | my brother, who is twelve. How old is she?",
    ),
    "clause": (
        "If I have twelve apples and give away five, | how many are left?",
        "When the water starts to boil, | how long do I cook the eggs?",
        "Because my train leaves at nine, | when should I get up?",
        "If a farmer has seventeen sheep, | how many legs is that?",
        "After I have painted the wall, | how long does it take to dry?",
        "If it rains tomorrow in Norwich, | what should I do with the children?",
        "While the bread is in the oven, | can I open the door?",
        "Since the shirt is twenty percent off, | what does it cost?",
        "Before I plant the tomatoes, | what do I put into the soil?",
        "Suppose all but nine of them run away, | how many are left?",
    ),
    "sentences": (
        "A train travels sixty kilometers in forty five minutes. | How fast is it going?",
        "I have twelve apples and I give away five. | How many are left?",
        "There are thirty students in my class. | How many tables of four do I need?",
        "My sister is three years older than my brother. | How old is she if he is twelve?",
        "A shirt costs forty dollars and it is twenty percent off. | What do I pay?",
        "I am planning a trip to Norway in June. | What should I pack?",
        "A farmer has seventeen sheep and all but nine run away. | How many are left?",
        "My bread never rises. | What am I doing wrong?",
        "The recipe is for four people. | How do I make it for six?",
        "I would like to learn the violin. | Where should I begin?",
    ),
    "hanging": (
        "What is the difference between a | violin and a viola?",
        "Can you tell me how the | tides work?",
        "I was thinking that we could go to | Norway. What should we see there?",
        "If I have twelve apples and | give away five, how many are left?",
        "My sister is three years older than | my brother, who is twelve. How old is she?",
        "The distance between the two | cities is ninety kilometers. How long do I drive?",
        "I would like to know what | the capital of Norway is.",
        "Suppose that a farmer has | seventeen sheep. How many legs is that?",
        "Could you explain to me why the | moon has phases?",
        "What do you think about my | idea to learn the violin?",
    ),
}
_DEV_WHOLE = (
    "What is the tallest mountain in Africa?",
    "Are bananas good for dogs?",
    "How many minutes are there in a week?",
    "Why do leaves turn red?",
    "Who invented the telephone?",
    "When did the war end?",
    "Can I put foil into the oven?",
    "Tell me a joke about a penguin.",
    "How heavy is a blue whale?",
    "Which planet is closest to the sun?",
    "Do I need a visa for Canada?",
    "What rhymes with orange?",
    "Give me three reasons to drink tea.",
    "Would you read that to me again?",
    "How long should I boil an egg?",
    "What did you mean by that?",
    "Is twenty seven a prime number?",
    "Convert ten miles to kilometers.",
    "What is it made of?",
    "Which of the two is cheaper?",
)
_DEV_PAUSED = {
    "filler": (
        "Is there a, um... | a difference between jam and jelly?",
        "My flight leaves at, uh... | half past six. When should I go?",
        "Could we, um... | talk about black holes?",
        "Add up seven, nine and, uh... | fourteen, please.",
        "I was wondering, um... | whether cats can see in the dark.",
        "Um... | how many people live in Japan?",
        "Let me think, uh... | what is the square root of eighty one?",
        "The room is four meters by, um... | five meters. How big is it?",
        "She bought three, uh... | four books at six dollars. What did she pay?",
        "Yes, and, um... | what about the second train?",
    ),
    "clause": (
        "If I leave the house at seven, | when will I arrive in Oxford?",
        "When you mix blue and yellow, | what color do you get?",
        "As soon as the rice is done, | what should I do with it?",
        "Although the sun was shining, | why was it so cold yesterday?",
        "Given that a week has seven days, | how many days are eleven weeks?",
        "Once the cake has cooled down, | how do I put the icing on?",
        "If both of the pipes are open, | how long does the tank take to fill?",
        "Whenever I drink coffee at night, | why can't I sleep?",
        "Assuming that the car does ninety, | how far does it go in two hours?",
        "Now that the garden is dry, | how often should I water it?",
    ),
    "sentences": (
        "A book costs nine dollars and a pen costs two. | What do both of them cost?",
        "I slept badly again last night. | Is there anything that helps?",
        "My neighbour plays the drums every evening. | What can I say to him?",
        "There were eight birds on the wire and three flew away. | How many stayed?",
        "We have two dogs and one cat. | Can they eat the same food?",
        "My phone fell into the bath. | Should I put it into rice?",
        "The box holds twelve eggs. | How many boxes do I need for sixty?",
        "I have to give a speech at a wedding. | How do I start?",
        "Tom is twice as old as Anna. | If Anna is nine, how old is Tom?",
        "I read something about quantum computers. | What are they good for?",
    ),
    "hanging": (
        "Could you please read me the | first line of the poem?",
        "I want to paint my kitchen with | green paint. How much do I need?",
        "How long does it take to | walk from here to the station?",
        "Is it true that | goldfish forget everything?",
        "He ran ten miles in | eighty minutes. What was his speed?",
        "What would happen if | the moon disappeared?",
        "Which is bigger, the sun or | the nearest other star?",
        "Explain to me what a very | simple engine looks like.",
        "She has been | working since six. How long is that until three?",
        "Can you find out when our | next bus leaves?",
    ),
}
_OTHER_WHOLE = (
    "How deep is the ocean?",
    "Who painted the ceiling of the chapel?",
    "What does an owl eat in winter?",
    "Can bees see the color red?",
    "How many zeros are in a billion?",
    "Where was the first bicycle built?",
    "Are there any volcanoes in Germany?",
    "Describe a sunset to me.",
    "What is nine squared?",
    "Why is my coffee bitter?",
    "Which language is spoken in Brazil?",
    "How far can a frog jump?",
    "Does sound travel faster in water?",
    "Name four rivers in Asia.",
    "When is the best time to plant garlic?",
    "What was the name of that song?",
    "Could I borrow a hammer?",
    "How do airplanes stay up?",
    "Would a parachute work on Mars?",
    "Tell me what you know about dolphins.",
)
_OTHER_PAUSED = {
    "filler": (
        "Who was the, uh... | second person on the moon?",
        "Um, so... | how do I get a stain out of a carpet?",
        "I need, um... | six cups of flour for two loaves. What about five loaves?",
        "What do you call, uh... | a group of crows?",
        "There are nine, um... | maybe ten of us. How many pizzas should I order?",
        "Does it, uh... | does it hurt a tree to be cut?",
        "I am looking for, um... | a word that means very happy.",
        "How long ago did, uh... | the dinosaurs die out?",
        "Okay, um... | multiply fourteen by six.",
        "The ladder is, uh... | three meters long. Will it reach the roof?",
    ),
    "clause": (
        "If the shop closes at eight tonight, | can I still get there by bus?",
        "When a candle burns, | where does the wax go?",
        "Before the guests arrive on Sunday, | what should I clean first?",
        "Though it looks like a fish, | is a whale really a mammal?",
        "Unless my watch is wrong, | how long do we have to wait?",
        "While I was asleep in the chair, | who won the game?",
        "After the storm last weekend, | why was the river brown?",
        "If six workers need four days, | how many days do three workers need?",
        "Even if the soup is too salty, | can I still save it?",
        "Because my knee hurts on the stairs, | should I stop running?",
    ),
    "sentences": (
        "I bought a used piano last week. | How often must it be tuned?",
        "The pool is ten meters long and four wide. | What is its area?",
        "My son is afraid of the dark. | How can I help him?",
        "Three friends share a bill of ninety six dollars. | What does each of them pay?",
        "It has been raining here for nine days. | Is that normal in April?",
        "We left at noon and drove for five hours. | When did we get there?",
        "Lisa has forty stickers and loses a quarter of them. | How many does she keep?",
        "My plants have yellow leaves. | Am I watering them too much?",
        "There is a strange noise in the wall. | Could it be mice?",
        "I want to surprise my wife on her birthday. | Do you have an idea?",
    ),
    "hanging": (
        "How many grams of sugar are in | one can of cola?",
        "Please tell my | brother that dinner is ready.",
        "A taxi charges three dollars plus | two dollars a mile. What do nine miles cost?",
        "Why is it that | cats always land on their feet?",
        "I would rather have a | shorter answer. Can you try again?",
        "Did the Romans really | drink wine every day?",
        "We are going to be | late. What is the fastest way to the airport?",
        "What are the names of all the | wives of Henry the Eighth?",
        "Is a tomato a fruit or | a vegetable?",
        "The bottle is full of | vinegar. What can I clean with it?",
    ),
}
TEXTS = {
    "tuned": TurnTexts(_TUNED_WHOLE, _TUNED_PAUSED),
    "dev": TurnTexts(_DEV_WHOLE, _DEV_PAUSED),
    "other": TurnTexts(_OTHER_WHOLE, _OTHER_PAUSED),
}
