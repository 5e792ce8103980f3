"""What users say in the comparison of ends of turns: whole questions, and turns with a pause in them.

A pause is marked "|". Its kind says why the turn is not over there:
    filler      the speaker hesitates: "um ..."
    clause      a subordinate clause waits for its main clause
    sentences   the question's facts are told, the question comes next
    hanging     a word that nobody stops at
"""

from __future__ import annotations

WHOLE = (
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
PAUSED = {
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
